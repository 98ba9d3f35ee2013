using System.Runtime.InteropServices;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>
/// Plain rows in memory, as columns, in groups of one series and hour: the groups by hour and series, a group's rows by
/// time, and those of equal time in the order of their writing. Its buffers grow to the most rows that were folded at a time
/// and are used again.
/// </summary>
internal sealed class FoldedRows
{
    /// <summary>The rows of a series in an hour: <see cref="Count"/> places in <see cref="Order"/> from <see cref="Start"/> on.</summary>
    public readonly record struct Group(long Hour, long Gpu, int Start, int Count, bool WasSorted);

    private readonly List<Group> _groups = [];
    private readonly List<double[]> _values = []; // of each metric
    private long[] _times = [];
    private int[] _order = [];
    private int[] _seriesOf = [];

    /// <summary>The names of the columns.</summary>
    public IReadOnlyList<string> Metrics { get; private set; } = [];

    /// <summary>The rows.</summary>
    public int Count { get; private set; }

    public IReadOnlyList<Group> Groups => _groups;

    /// <summary>The time of each row.</summary>
    public ReadOnlySpan<long> Times => _times;

    /// <summary>Which rows a group has, in its order.</summary>
    public ReadOnlySpan<int> Order(in Group group) => _order.AsSpan(group.Start, group.Count);

    /// <summary>The values of a metric, by its index; NaN where a row does not have it.</summary>
    public ReadOnlySpan<double> Values(int metric) => _values[metric];

    /// <summary>Reads the rows [<paramref name="first"/>, <paramref name="end"/>) instead of those that are there.</summary>
    public void Read(Database database, MetricColumns columns, long first, long end)
    {
        Reserve((int)(end - first), columns.Names);
        var series = new Dictionary<long, int>();
        var keys = new List<long>();
        var counts = new List<int>();
        var list = string.Concat(columns.Names.Select(name => $", \"{name}\""));
        using var select = database.Prepare($"SELECT time, gpu{list} FROM sample WHERE row_id >= ?1 AND row_id < ?2 ORDER BY row_id");
        select.Bind(1, first).Bind(2, end);
        var n = 0;
        for (; select.Step(); n++)
        {
            _times[n] = select.Long(0);
            var key = select.Long(1);
            ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(series, key, out var exists);
            if (!exists)
            {
                index = keys.Count;
                keys.Add(key);
                counts.Add(0);
            }
            _seriesOf[n] = index;
            counts[index]++;
            for (var metric = 0; metric < Metrics.Count; metric++)
            {
                // NULL reads as 0, so that only zeros need a second look.
                var value = select.Double(metric + 2);
                _values[metric][n] = value == 0 && select.IsNull(metric + 2) ? double.NaN : value;
            }
        }
        Count = n;
        GroupBySeries(_seriesOf.AsSpan(0, n), keys, counts);
    }

    private void Reserve(int rows, IReadOnlyList<string> metrics)
    {
        Metrics = [.. metrics];
        _groups.Clear();
        if (_times.Length < rows)
        {
            _times = GC.AllocateUninitializedArray<long>(rows);
            _order = GC.AllocateUninitializedArray<int>(rows);
            _seriesOf = GC.AllocateUninitializedArray<int>(rows);
            _values.Clear();
        }
        while (_values.Count < metrics.Count)
            _values.Add(GC.AllocateUninitializedArray<double>(_times.Length));
    }

    /// <summary>A counting sort by series keeps the order of writing; then each series is sorted by time where it is not yet.</summary>
    private void GroupBySeries(ReadOnlySpan<int> seriesOf, List<long> keys, List<int> counts)
    {
        var next = new int[keys.Count];
        for (var i = 1; i < next.Length; i++)
            next[i] = next[i - 1] + counts[i - 1];
        for (var row = 0; row < seriesOf.Length; row++)
            _order[next[seriesOf[row]]++] = row;
        for (var i = 0; i < keys.Count; i++)
            GroupByHour(keys[i], next[i] - counts[i], next[i]);
        _groups.Sort((a, b) => a.Hour != b.Hour ? a.Hour.CompareTo(b.Hour) : a.Gpu.CompareTo(b.Gpu));
    }

    private void GroupByHour(long gpu, int start, int end)
    {
        var order = _order.AsSpan(start, end - start);
        var wasSorted = true;
        for (var i = 1; i < order.Length && wasSorted; i++)
            wasSorted = _times[order[i]] >= _times[order[i - 1]];
        if (!wasSorted)
            order.Sort((a, b) => _times[a] != _times[b] ? _times[a].CompareTo(_times[b]) : a.CompareTo(b));
        for (var at = start; at < end;)
        {
            var hour = Hours.Of(_times[_order[at]]);
            var (from, until) = (at, Hours.End(hour));
            while (at < end && _times[_order[at]] < until)
                at++;
            _groups.Add(new Group(hour, gpu, from, at - from, wasSorted));
        }
    }
}
