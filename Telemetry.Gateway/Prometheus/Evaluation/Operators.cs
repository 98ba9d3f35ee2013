namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>Operators and functions of numbers.</summary>
internal static class Operators
{
    /// <summary>An arithmetic operator.</summary>
    public static Func<double, double, double> Arithmetic(string op) => op switch
    {
        "+" => static (a, b) => a + b,
        "-" => static (a, b) => a - b,
        "*" => static (a, b) => a * b,
        "/" => static (a, b) => a / b,
        "%" => static (a, b) => a % b,
        "^" => Math.Pow,
        _ => throw new ArgumentException(op, nameof(op)),
    };

    /// <summary>A comparison.</summary>
    public static Func<double, double, bool> Comparison(string op) => op switch
    {
        "==" => static (a, b) => a == b,
        "!=" => static (a, b) => a != b,
        ">" => static (a, b) => a > b,
        "<" => static (a, b) => a < b,
        ">=" => static (a, b) => a >= b,
        "<=" => static (a, b) => a <= b,
        _ => throw new ArgumentException(op, nameof(op)),
    };

    /// <summary>A function of one number, and a second one where it takes two.</summary>
    public static Func<double, double, double> Function(string name) => name switch
    {
        "abs" => static (v, _) => Math.Abs(v),
        "ceil" => static (v, _) => Math.Ceiling(v),
        "floor" => static (v, _) => Math.Floor(v),
        "exp" => static (v, _) => Math.Exp(v),
        "ln" => static (v, _) => Math.Log(v),
        "log2" => static (v, _) => Math.Log2(v),
        "log10" => static (v, _) => Math.Log10(v),
        "sqrt" => static (v, _) => Math.Sqrt(v),
        "sgn" => static (v, _) => v > 0 ? 1 : v < 0 ? -1 : v,
        "round" => static (v, to) => Math.Floor((v * (1 / to)) + 0.5) / (1 / to),
        "clamp_min" => static (v, min) => Math.Max(v, min),
        "clamp_max" => static (v, max) => Math.Min(v, max),
        _ => throw new ArgumentException(name, nameof(name)),
    };
}
