using System.Globalization;

namespace Telemetry.Tests.Gateway.Prometheus;

/// <summary>Makes queries that both a Prometheus and the gateway can answer, in the same way each time.</summary>
internal sealed class RandomQueries(int seed)
{
    private static readonly string[] Metrics = ["gpu_utilization", "power_w", "energy_mj", "temperature_c"];
    private static readonly string[] Ranges = ["45s", "1m", "5m", "17m", "1h", "1h30m"];

    private readonly Random _random = new(seed);

    /// <summary>A query that gives a vector.</summary>
    public string Vector(int depth) => depth == 0 ? Leaf() : _random.Next(9) switch
    {
        0 or 1 => Leaf(),
        2 or 3 => Aggregate(depth),
        4 => $"{Vector(depth - 1)} {Pick("+", "-", "*", "/")} {Scalar(depth - 1)}",
        5 => $"({Scalar(depth - 1)} {Pick("+", "-", "*", "/", "^")} ({Vector(depth - 1)}))",
        6 when Next(3) == 0 => $"(time() - timestamp({Pick(Selector(), Vector(depth - 1))}))",
        6 => $"({Selector()} {Pick(">", "<", ">=", "<=", "==", "!=")} {Pick("", "bool ")}{Number()})",
        7 => $"{Pick("abs", "ceil", "floor", "sqrt", "sgn", "exp", "ln")}({Vector(depth - 1)})",
        _ => Pairs(depth),
    };

    /// <summary>A query that gives a vector or a scalar.</summary>
    public string Any(int depth) => _random.Next(12) switch
    {
        0 => Scalar(depth),
        1 => $"-{Vector(depth)}",
        2 => $"topk({_random.Next(4)}, power_w{Matchers()})",
        3 => $"bottomk by (host_id) ({_random.Next(1, 3)}, power_w{Matchers()})",
        _ => Vector(depth),
    };

    /// <summary>A number from 0 up to a bound.</summary>
    public int Next(int below) => _random.Next(below);

    /// <summary>One of some.</summary>
    public T Pick<T>(params T[] all) => all[_random.Next(all.Length)];

    private string Leaf() => _random.Next(5) switch
    {
        0 or 1 => Selector(),
        2 => $"{Pick("rate", "increase", "irate")}(energy_mj{Matchers()}[{Pick(Ranges)}]{Shift()})",
        3 => $"{Pick("delta", "idelta")}({Pick(Metrics)}{Matchers()}[{Pick(Ranges)}]{Shift()})",
        _ => $"{Pick("avg", "min", "max", "sum", "count", "last", "present")}_over_time({Pick(Metrics)}{Matchers()}[{Pick(Ranges)}]{Shift()})",
    };

    private string Selector() => $"{Pick(Metrics)}{Matchers()}{Shift()}";

    private string Matchers() => Pick(
        "", "", "{}", "{host_id=\"h1\"}", "{host_id!=\"h1\"}", "{gpu_id=~\"0|2\"}", "{gpu_id!~\"[0-1]\", host_id=~\"h.\"}", "{pod=\"\"}", "{pod=~\".+\"}",
        "{host_id=~\"h(0|2)\",model=~\".*H100.*\"}", "{host_id=\"nowhere\"}", "{no_such_label!=\"x\"}", "{pod!~\"job-.*\"}");

    private string Shift() => Pick("", "", "", " offset 7m", " offset -3m", " @ 1772370000", " @ start()", " @ end() offset 1m");

    private string Aggregate(int depth)
    {
        var (op, of) = (Pick("sum", "avg", "min", "max", "count", "group"), Vector(depth - 1));
        var grouping = Pick("", "by (host_id)", "by (host_id, pod)", "by ()", "without (gpu_id, uuid, device)", "without ()", "by (__name__, model)");
        return Next(2) == 0 ? $"{op} {grouping} ({of})" : $"{op}({of}) {grouping}";
    }

    private string Pairs(int depth) => _random.Next(6) switch
    {
        0 => $"{Selector()} {Pick("+", "-", "*", "/", ">", "<=", "== bool")} {Selector()}",
        1 => $"power_w{Matchers()} / ignoring (pod) temperature_c{Matchers()}",
        2 => $"power_w{Matchers()} {Pick("*", ">", "!= bool")} on (host_id, gpu_id) gpu_utilization{Matchers()}",
        3 => $"sum by (host_id) ({Vector(depth - 1)}) / count by (host_id) ({Vector(depth - 1)})",
        4 => $"power_w {Pick("and", "or", "unless")} {Pick("", "on (host_id) ", "ignoring (pod) ")}{Selector()}",
        _ => $"({Selector()} > {Number()}) {Pick("and", "or", "unless")} ({Selector()} < {Number()})",
    };

    private string Scalar(int depth) => depth == 0 ? Number() : _random.Next(5) switch
    {
        0 => "time()",
        1 => $"scalar(power_w{{host_id=\"h1\",gpu_id=\"{Next(3)}\"}})",
        2 => $"({Scalar(depth - 1)} {Pick("+", "-", "*", "/", "%", "> bool")} {Number()})",
        3 => $"-{Scalar(depth - 1)}",
        _ => Number(),
    };

    private string Number() => Pick("0", "1", "2.5", "50", "300", "1e3", "0x10", (_random.NextDouble() * 100).ToString("R", CultureInfo.InvariantCulture));
}
