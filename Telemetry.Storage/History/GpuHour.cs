using System.Buffers.Binary;
using Telemetry.Storage.Queries;

namespace Telemetry.Storage.History;

/// <summary>
/// The roll-up of one series and hour: of every record that was folded. Kept as
/// <code>
///   u32     CRC-32C of what follows
///   u8      version, 1
///   zigzag  the time of the record written last, in milliseconds from the hour's start
///   varint  sizes of distances between records; for each: varint size, varint count, varint their sum, milliseconds
///           for each metric in order of its id, to the end:
///   varint  id, less the id before it (the first: less -1), minus 1
///   varint  count
///   zigzag  the time of its newest value, in milliseconds from the hour's start
///   f64     sum, min, max, last (little-endian)
/// </code>
/// </summary>
internal sealed class GpuHour
{
    private const byte Version = 1;
    private const int HeaderBytes = 5;

    private MetricTotals[] _totals = [];
    private long _hour;
    private long _writtenLast;

    /// <summary>The records.</summary>
    public long Rows { get; private set; }

    /// <summary>The earliest of their times, milliseconds.</summary>
    public long FirstTime { get; private set; }

    /// <summary>The latest of their times, milliseconds.</summary>
    public long LastTime { get; private set; }

    /// <summary>How far they are apart.</summary>
    public Cadence Cadence { get; } = new();

    /// <summary>The totals of each metric by its id; none where the hour has no value of it.</summary>
    public ReadOnlySpan<MetricTotals> Totals => _totals;

    /// <summary>Begins with no records.</summary>
    /// <param name="hour">The hour.</param>
    /// <param name="metrics">One more than the highest id.</param>
    public void Clear(long hour, int metrics)
    {
        if (_totals.Length < metrics)
            _totals = new MetricTotals[metrics];
        else
            Array.Clear(_totals);
        (_hour, Rows, FirstTime, LastTime, _writtenLast) = (hour, 0, long.MaxValue, long.MinValue, 0);
        Cadence.Clear();
    }

    /// <summary>Adds a record's time; in the order of writing.</summary>
    public void AddTime(long time)
    {
        if (Rows++ > 0)
            Cadence.Add(_writtenLast, time);
        _writtenLast = time;
        FirstTime = Math.Min(FirstTime, time);
        LastTime = Math.Max(LastTime, time);
    }

    /// <summary>Adds a record's value of a metric; in the order of writing. NaN is no value.</summary>
    public void AddValue(int metric, long time, double value)
    {
        if (!double.IsNaN(value))
            _totals[metric].Add(time, value);
    }

    /// <summary>Reads a roll-up instead of what is there.</summary>
    /// <param name="hour">The hour.</param>
    /// <param name="metrics">One more than the highest id.</param>
    /// <param name="rows">The records.</param>
    /// <param name="firstTime">The earliest of their times.</param>
    /// <param name="lastTime">The latest of their times.</param>
    /// <param name="totals">What <see cref="Write"/> wrote.</param>
    /// <param name="cadence">What the distances are added to; null for <see cref="Cadence"/>.</param>
    /// <exception cref="StoreException">It is damaged.</exception>
    public void Read(long hour, int metrics, long rows, long firstTime, long lastTime, ReadOnlySpan<byte> totals, Cadence? cadence = null)
    {
        Clear(hour, metrics);
        (Rows, FirstTime, LastTime) = (rows, firstTime, lastTime);
        if (totals.Length < HeaderBytes || Crc32C.Compute(totals[4..]) != BinaryPrimitives.ReadUInt32LittleEndian(totals) || totals[4] != Version)
            throw Chunk.Damaged("the checksum of an hour's roll-up does not fit");
        var input = new ByteReader(totals[HeaderBytes..]);
        var start = Hours.Start(hour);
        _writtenLast = start + input.Signed();
        (cadence ?? Cadence).Add(ref input);
        for (var metric = -1; !input.AtEnd;)
        {
            metric += 1 + input.Count(0, _totals.Length - metric - 2, "between metrics");
            var count = input.Long(1, "values");
            var time = start + input.Signed();
            _totals[metric] = new MetricTotals(count, input.Double(), input.Double(), input.Double(), input.Double(), time);
        }
    }

    /// <summary>Appends the roll-up.</summary>
    public void Write(ByteWriter output)
    {
        var at = output.Length;
        output.UInt32(0);
        output.Byte(Version);
        var start = Hours.Start(_hour);
        output.Signed(_writtenLast - start);
        Cadence.Write(output);
        var before = -1;
        for (var metric = 0; metric < _totals.Length; metric++)
        {
            ref var totals = ref _totals[metric];
            if (totals.Count == 0)
                continue;
            output.Varint((ulong)(metric - before - 1));
            output.Varint((ulong)totals.Count);
            output.Signed(totals.LastTime - start);
            output.Double(totals.Sum);
            output.Double(totals.Min);
            output.Double(totals.Max);
            output.Double(totals.Last);
            before = metric;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(output.From(at), Crc32C.Compute(output.From(at + 4)));
    }
}
