namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>What an expression gives at an instant.</summary>
internal enum ResultType
{
    /// <summary>A number.</summary>
    Scalar,

    /// <summary>A number of each series.</summary>
    Vector,

    /// <summary>Samples of each series over a range.</summary>
    Matrix,

    /// <summary>A text.</summary>
    Text,
}

/// <summary>A part of a query.</summary>
/// <param name="Position">Where it begins in the text.</param>
internal abstract record Expression(int Position)
{
    /// <summary>What it gives.</summary>
    public abstract ResultType Type { get; }
}

/// <summary>A number.</summary>
internal sealed record NumberLiteral(int Position, double Value) : Expression(Position)
{
    public override ResultType Type => ResultType.Scalar;
}

/// <summary>A text.</summary>
internal sealed record TextLiteral(int Position, string Value) : Expression(Position)
{
    public override ResultType Type => ResultType.Text;
}

/// <summary>The instant that <c>@</c> names.</summary>
internal enum Anchor
{
    /// <summary>None: each step's own time.</summary>
    None,

    /// <summary><c>@ start()</c>.</summary>
    Start,

    /// <summary><c>@ end()</c>.</summary>
    End,

    /// <summary><c>@ 1700000000</c>.</summary>
    Time,
}

/// <summary>Which series, and how far back from the time of evaluation (or the anchor).</summary>
/// <param name="Position">Where it begins.</param>
/// <param name="Matchers">What the labels must be, among them <c>__name__</c>.</param>
internal sealed record Selector(int Position, IReadOnlyList<Matcher> Matchers) : Expression(Position)
{
    public override ResultType Type => RangeMs > 0 ? ResultType.Matrix : ResultType.Vector;

    /// <summary>The range of <c>[5m]</c>, milliseconds; 0 for the newest sample only.</summary>
    public long RangeMs { get; init; }

    /// <summary>The <c>offset</c>, milliseconds.</summary>
    public long OffsetMs { get; init; }

    /// <summary>The <c>@</c>.</summary>
    public Anchor Anchor { get; init; }

    /// <summary>The time of <see cref="Anchor.Time"/>, milliseconds.</summary>
    public long AnchorMs { get; init; }
}

/// <summary>A function with its arguments.</summary>
internal sealed record Call(int Position, Function Function, IReadOnlyList<Expression> Arguments) : Expression(Position)
{
    public override ResultType Type => Function.Result;
}

/// <summary>Series put together, such as <c>sum by (host_id) (…)</c>.</summary>
/// <param name="Position">Where it begins.</param>
/// <param name="Operator">How: sum, avg, min, max, count, topk, bottomk.</param>
/// <param name="Of">The series.</param>
/// <param name="Parameter">How many, of topk and bottomk.</param>
/// <param name="Labels">The labels that are kept, or left out.</param>
/// <param name="IsWithout">Whether the labels are left out.</param>
internal sealed record Aggregate(int Position, string Operator, Expression Of, Expression? Parameter, IReadOnlyList<string> Labels, bool IsWithout) : Expression(Position)
{
    public override ResultType Type => ResultType.Vector;
}

/// <summary>Which labels of two series must be equal so that they meet.</summary>
/// <param name="Labels">The labels of <c>on</c> or <c>ignoring</c>.</param>
/// <param name="IsOn">Whether only these count; otherwise all others.</param>
internal sealed record Matching(IReadOnlyList<string> Labels, bool IsOn);

/// <summary>Two expressions and an operator between them.</summary>
internal sealed record Binary(int Position, string Operator, Expression Left, Expression Right, bool IsBool, Matching Matching) : Expression(Position)
{
    public override ResultType Type => Left.Type == ResultType.Scalar && Right.Type == ResultType.Scalar ? ResultType.Scalar : ResultType.Vector;

    /// <summary>Whether it compares.</summary>
    public bool IsComparison => Operator is "==" or "!=" or ">" or "<" or ">=" or "<=";
}

/// <summary>The same with the other sign.</summary>
internal sealed record Negation(int Position, Expression Of) : Expression(Position)
{
    public override ResultType Type => Of.Type;
}
