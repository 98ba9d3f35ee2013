using Telemetry.Storage.Queries;

namespace Telemetry.Storage.History;

/// <summary>
/// The roll-ups of one series' minutes in one hour. They are kept as a chunk of <see cref="ChunkLevel.Minutes"/>, of which a
/// row is a minute that has records and its time the minute's start. Its columns are 1 + 6 × metric + 0 to 5: count, sum, min,
/// max, last, and the milliseconds from the minute's start to the newest value; column 0 is the records. A sum that is not a
/// whole number is kept with 13 significant digits: what binary fractions add up to beyond that is noise, which no compression
/// makes small.
/// </summary>
internal sealed class Minutes
{
    public const int OfHour = 60;

    private const int Figures = 6;

    private readonly long[] _rows = new long[OfHour];
    private readonly long[] _times = new long[OfHour];
    private readonly double[] _values = new double[OfHour];
    private MetricTotals[][] _totals = []; // by metric and minute
    private long _firstMinute;

    /// <summary>The first millisecond of a minute of the hour.</summary>
    public long Start(int minute) => (_firstMinute + minute) * Hours.MillisecondsOfMinute;

    /// <summary>The records of a minute.</summary>
    public long Rows(int minute) => _rows[minute];

    /// <summary>The totals of a metric, by minute.</summary>
    public ReadOnlySpan<MetricTotals> Totals(int metric) => _totals[metric];

    /// <summary>Begins with no records.</summary>
    /// <param name="hour">The hour.</param>
    /// <param name="metrics">One more than the highest id.</param>
    public void Clear(long hour, int metrics)
    {
        _firstMinute = hour * OfHour;
        Array.Clear(_rows);
        while (_totals.Length < metrics)
            _totals = [.. _totals, new MetricTotals[OfHour]];
        foreach (var totals in _totals)
            Array.Clear(totals);
    }

    /// <summary>Adds records' times.</summary>
    public void AddTimes(ReadOnlySpan<long> times)
    {
        foreach (var time in times)
            _rows[Hours.MinuteOf(time) - _firstMinute]++;
    }

    /// <summary>Adds values of a metric that were written later than those before; NaN is no value.</summary>
    public void AddValues(int metric, ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        var totals = _totals[metric];
        for (var i = 0; i < times.Length; i++)
        {
            if (!double.IsNaN(values[i]))
                totals[Hours.MinuteOf(times[i]) - _firstMinute].Add(times[i], values[i]);
        }
    }

    /// <summary>Reads the minutes of an hour instead of what is there.</summary>
    /// <param name="chunk">The open chunk.</param>
    /// <param name="hour">The hour.</param>
    /// <param name="metrics">One more than the highest id.</param>
    /// <param name="wanted">Only these metrics; null for all.</param>
    /// <exception cref="StoreException">It is damaged.</exception>
    public void Read(ChunkReader chunk, long hour, int metrics, IReadOnlyList<int>? wanted = null)
    {
        Clear(hour, metrics);
        if (chunk.Rows > OfHour)
            throw Chunk.Damaged($"an hour of {chunk.Rows} minutes");
        chunk.ReadTimes(_times);
        var minutes = new int[chunk.Rows];
        for (var i = 0; i < minutes.Length; i++)
        {
            var minute = Hours.MinuteOf(_times[i]) - _firstMinute;
            minutes[i] = minute is >= 0 and < OfHour ? (int)minute : throw Chunk.Damaged("a minute that is not of the hour");
        }
        chunk.Read(0, _values);
        for (var i = 0; i < minutes.Length; i++)
            _rows[minutes[i]] = (long)_values[i];
        Span<double> figures = stackalloc double[Figures * OfHour];
        foreach (var metric in wanted ?? [.. chunk.Metrics.Where(id => id > 0 && (id - 1) % Figures == 0).Select(id => (id - 1) / Figures)])
        {
            if (metric < 0 || metric >= metrics || !chunk.Read(Column(metric, 0), figures[..OfHour]))
                continue;
            for (var figure = 1; figure < Figures; figure++)
                chunk.Read(Column(metric, figure), figures[(figure * OfHour)..]);
            for (var i = 0; i < minutes.Length; i++)
            {
                if (!double.IsNaN(figures[i]))
                {
                    _totals[metric][minutes[i]] = new MetricTotals((long)figures[i], figures[OfHour + i], figures[(2 * OfHour) + i],
                        figures[(3 * OfHour) + i], figures[(4 * OfHour) + i], Start(minutes[i]) + (long)figures[(5 * OfHour) + i]);
                }
            }
        }
    }

    /// <summary>Writes them as a chunk, until the writer's next.</summary>
    /// <returns>The chunk, and the minutes in it.</returns>
    public ReadOnlySpan<byte> Write(ChunkWriter writer, out int minutes)
    {
        minutes = 0;
        for (var i = 0; i < OfHour; i++)
        {
            if (_rows[i] > 0)
                _times[minutes++] = Start(i);
        }
        writer.Begin(_times.AsSpan(0, minutes));
        Add(writer, 0, minutes, i => _rows[i]);
        for (var metric = 0; metric < _totals.Length; metric++)
        {
            var totals = _totals[metric];
            Add(writer, Column(metric, 0), minutes, i => totals[i].Count == 0 ? double.NaN : totals[i].Count);
            Add(writer, Column(metric, 1), minutes, i => totals[i].Count == 0 ? double.NaN : Rounded(totals[i].Sum));
            Add(writer, Column(metric, 2), minutes, i => totals[i].Count == 0 ? double.NaN : totals[i].Min);
            Add(writer, Column(metric, 3), minutes, i => totals[i].Count == 0 ? double.NaN : totals[i].Max);
            Add(writer, Column(metric, 4), minutes, i => totals[i].Count == 0 ? double.NaN : totals[i].Last);
            Add(writer, Column(metric, 5), minutes, i => totals[i].Count == 0 ? double.NaN : totals[i].LastTime - Start(i));
        }
        return writer.End();
    }

    private static double Rounded(double sum)
    {
        if (sum == Math.Truncate(sum))
            return sum;
        var digits = 13 - (int)Math.Ceiling(Math.Log10(Math.Abs(sum)));
        if (digits is < 1 or > 22) // powers of ten up to this are exact
            return sum;
        var scale = Math.Pow(10, digits);
        return Math.Round(sum * scale) / scale;
    }

    private static int Column(int metric, int figure) => 1 + (metric * Figures) + figure;

    private void Add(ChunkWriter writer, int column, int minutes, Func<int, double> figure)
    {
        var count = 0;
        for (var i = 0; i < OfHour; i++)
        {
            if (_rows[i] > 0)
                _values[count++] = figure(i);
        }
        writer.Add(column, _values.AsSpan(0, minutes));
    }
}
