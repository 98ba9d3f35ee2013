using System.Runtime.InteropServices;

namespace Telemetry.Streamer.Sources;

/// <summary>One value of a record that is being put together.</summary>
internal readonly record struct MetricSlot(int Metric, double Value, int Next);

/// <summary>
/// A stretch of one shard's rows of a long file, in which the rows of one time and GPU become one record. Where it ends
/// depends only on the shard's rows from its beginning on (or was decided and stands in the position), so that a restart
/// makes the same records in the same order.
/// </summary>
internal sealed class LongWindow(int rowsMax)
{
    private struct Record
    {
        public Series Series;
        public long TimeUnixMs;
        public long Offset;
        public int FirstSlot;
        public int LastSlot;
        public int Count;
    }

    /// <summary>Metrics of a record; a further one begins another record. Half of what a batch may have, so that any two fit.</summary>
    internal const int MetricsMax = 256;

    private readonly List<Record> _records = [];
    private readonly List<MetricSlot> _slots = [];
    private readonly Dictionary<(long Time, Gpu Gpu), int> _newest = [];
    private int _rows;
    private long _maxTimeUnixMs;
    private int _taken;

    /// <summary>Where it begins: the place after the last row of the window before.</summary>
    public Place Begin { get; private set; }

    /// <summary>Where it ends: after its last row.</summary>
    public Place End { get; private set; }

    /// <summary>Where it has to end, when that was decided in an earlier life; -1 when it was not.</summary>
    public long DecidedEnd { get; private set; }

    /// <summary>Whether it has no rows.</summary>
    public bool IsEmpty => _rows == 0;

    /// <summary>Records that <see cref="Take"/> has given.</summary>
    public int Taken => _taken;

    /// <summary>Whether every record was taken.</summary>
    public bool IsTaken => _taken == _records.Count;

    /// <summary>Where the record that <see cref="Take"/> gives next first appears.</summary>
    public long NextOffset => _records[_taken].Offset;

    /// <summary>Makes it an empty window.</summary>
    public void Reset(Place begin, long decidedEnd = -1)
    {
        _records.Clear();
        _slots.Clear();
        _newest.Clear();
        (_rows, _taken, _maxTimeUnixMs) = (0, 0, long.MinValue);
        (Begin, End, DecidedEnd) = (begin, begin, decidedEnd);
    }

    /// <summary>
    /// Whether it ends before a row: at the decided end; or from <c>rowsMax</c> rows on where the time moves on, so that a
    /// scrape is not cut; or at twice as many in any case.
    /// </summary>
    public bool EndsBefore(long offset, long timeUnixMs) =>
        DecidedEnd >= 0 ? offset >= DecidedEnd
        : _rows >= rowsMax && (timeUnixMs > _maxTimeUnixMs || _rows >= 2 * rowsMax);

    /// <summary>Adds a row. A metric that the record has already begins another record of the same time, so that no value is lost.</summary>
    public void Add(long offset, Place end, long timeUnixMs, Series series, int metric, double value)
    {
        _rows++;
        End = end;
        _maxTimeUnixMs = Math.Max(_maxTimeUnixMs, timeUnixMs);
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_newest, (timeUnixMs, series.Gpu), out var exists);
        var slot = _slots.Count;
        _slots.Add(new MetricSlot(metric, value, -1));
        if (exists && !Has(index, metric))
        {
            ref var record = ref CollectionsMarshal.AsSpan(_records)[index];
            _slots[record.LastSlot] = _slots[record.LastSlot] with { Next = slot };
            record.LastSlot = slot;
            record.Count++;
            return;
        }
        index = _records.Count;
        _records.Add(new Record { Series = series, TimeUnixMs = timeUnixMs, Offset = offset, FirstSlot = slot, LastSlot = slot, Count = 1 });
    }

    /// <summary>Takes the next record.</summary>
    public (Series Series, long TimeUnixMs) Take(List<(int Metric, double Value)> values)
    {
        var record = _records[_taken++];
        values.Clear();
        for (var slot = record.FirstSlot; slot >= 0; slot = _slots[slot].Next)
            values.Add((_slots[slot].Metric, _slots[slot].Value));
        return (record.Series, record.TimeUnixMs);
    }

    private bool Has(int record, int metric)
    {
        if (_records[record].Count == MetricsMax)
            return true;
        for (var slot = _records[record].FirstSlot; slot >= 0; slot = _slots[slot].Next)
        {
            if (_slots[slot].Metric == metric)
                return true;
        }
        return false;
    }
}
