using System.IO.Hashing;
using System.Text;
using System.Text.Unicode;

namespace Telemetry.Streamer.Sources;

/// <summary>The metrics seen so far, each with a number, found by their column name or by the raw bytes of a cell.</summary>
internal sealed class MetricTable
{
    /// <summary>More names than this come only from an input that is not telemetry.</summary>
    private const int NamesMax = 10_000;

    private sealed record Name(byte[] Raw, int Metric, Name? Next);

    private readonly List<Metric> _metrics = [];
    private readonly Dictionary<string, int> _byColumn = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, Name> _byRaw = [];
    private Name? _last;

    /// <summary>How many metrics there are; their numbers are below it.</summary>
    public int Count => _metrics.Count;

    /// <summary>A metric by its number.</summary>
    public Metric this[int metric] => _metrics[metric];

    /// <summary>The number of a metric; adds it if it is new.</summary>
    public int Number(Metric metric)
    {
        if (!_byColumn.TryGetValue(metric.Name, out var number))
        {
            number = _metrics.Count;
            _metrics.Add(metric);
            _byColumn.Add(metric.Name, number);
        }
        return number;
    }

    /// <summary>The number of the metric that a cell of a long file names; -1 when no metric can have that name.</summary>
    public int Number(ReadOnlySpan<byte> raw)
    {
        // Exporters write a metric's rows one after another.
        if (_last is not null && raw.SequenceEqual(_last.Raw))
            return _last.Metric;
        var hash = XxHash3.HashToUInt64(raw);
        var first = _byRaw.GetValueOrDefault(hash);
        for (var name = first; name is not null; name = name.Next)
        {
            if (raw.SequenceEqual(name.Raw))
                return (_last = name).Metric;
        }
        if (raw.Length is 0 or > 1024 || !Utf8.IsValid(raw) || _byRaw.Count == NamesMax || MetricNames.Resolve(Encoding.UTF8.GetString(raw)) is not { } metric)
            return -1;
        _last = _byRaw[hash] = new Name(raw.ToArray(), Number(metric), first);
        return _last.Metric;
    }
}
