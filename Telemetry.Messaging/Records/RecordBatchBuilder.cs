using System.Diagnostics;

namespace Telemetry.Messaging.Records;

/// <summary>
/// Collects records column by column and encodes them as a record batch. Reusable: <see cref="Clear"/> keeps the buffers.
/// Not thread-safe. Adding allocates nothing a record once series and metrics are known.
/// </summary>
public sealed class RecordBatchBuilder
{
    private readonly Dictionary<GpuIdentity, int> _seriesIndex = [];
    private readonly Dictionary<string, int> _metricIndex = new(StringComparer.Ordinal);
    private readonly List<GpuIdentity> _series = [];
    private readonly List<MetricColumn> _columns = []; // the first _metrics are in use, the others keep their buffers
    private int _metrics;
    private int _textBytes;
    private long[] _times = [];
    private int[] _seriesOf = [];
    private GpuIdentity? _lastIdentity;
    private int _lastSeries;

    /// <summary>Records so far.</summary>
    public int Count { get; private set; }

    /// <summary>An upper bound of the bytes that <see cref="Build"/> would write. Keep it within <see cref="RecordBatchLimits.BytesMax"/>.</summary>
    public int EncodedBytesMax
    {
        get
        {
            var bitmap = (Count + 7) / 8;
            // A column: form, and either all values plain, or a bit map and all but one; times in at most 49 bits; series in 16.
            var bound = RecordBatchLayout.HeaderBytes + RecordBatchLayout.TraceBytes + _textBytes
                + ((long)Count * (7 + 2)) + RecordBatchLayout.TimeHeadBytes + 2
                + ((long)_metrics * (1 + bitmap + ((long)Count * sizeof(double))));
            return (int)Math.Min(bound, int.MaxValue);
        }
    }

    internal ReadOnlySpan<long> Times => _times.AsSpan(0, Count);

    internal ReadOnlySpan<int> SeriesOf => _seriesOf.AsSpan(0, Count);

    internal IReadOnlyList<GpuIdentity> SeriesList => _series;

    /// <summary>The bytes of identities and metric names.</summary>
    internal int TextBytes => _textBytes;

    internal int MetricCount => _metrics;

    internal MetricColumn Column(int metric) => _columns[metric];

    /// <summary>The index of an identity in this batch; adds it if it is new.</summary>
    /// <exception cref="RecordBatchException">Host or GPU is empty, a label is too long, or there are too many series.</exception>
    public int Series(GpuIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (ReferenceEquals(identity, _lastIdentity))
            return _lastSeries;
        // The identity caches its hash and equality begins with the reference, so an interned one is found without a look at its labels.
        if (!_seriesIndex.TryGetValue(identity, out var series))
        {
            var bytes = identity.Encoded.Length;
            series = _series.Count;
            if (series == RecordBatchLimits.RecordsMax)
                throw new RecordBatchException($"a batch has at most {RecordBatchLimits.RecordsMax} series");
            _seriesIndex.Add(identity, series);
            _series.Add(identity);
            _textBytes += bytes;
        }
        _lastIdentity = identity;
        _lastSeries = series;
        return series;
    }

    /// <summary>The index of a metric in this batch; adds it if it is new.</summary>
    /// <exception cref="RecordBatchException">Too many metrics, or the name is empty or too long.</exception>
    public int Metric(string name)
    {
        if (_metricIndex.TryGetValue(name, out var metric))
            return metric;
        if (name.Length == 0)
            throw new RecordBatchException("a metric has no name");
        if (_metrics == RecordBatchLimits.MetricsMax)
            throw new RecordBatchException($"a batch has at most {RecordBatchLimits.MetricsMax} metrics; '{name}' is one more");
        CheckCells(Count, _metrics + 1);
        var bytes = IdentityText.Bytes(name);
        metric = _metrics++;
        if (metric == _columns.Count)
            _columns.Add(new MetricColumn());
        _columns[metric].Reset(name);
        _metricIndex.Add(name, metric);
        _textBytes += bytes;
        return metric;
    }

    /// <summary>Begins a record without values.</summary>
    /// <param name="timeUnixMs">Milliseconds since 1970-01-01 UTC, in the years 1 to 9999.</param>
    /// <param name="series">An index from <see cref="Series"/>.</param>
    /// <exception cref="RecordBatchException">The batch is full, or the time is out of range.</exception>
    public void BeginRecord(long timeUnixMs, int series)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)series, (uint)_series.Count, nameof(series));
        if (Count == RecordBatchLimits.RecordsMax)
            throw new RecordBatchException($"a batch has at most {RecordBatchLimits.RecordsMax} records");
        if (timeUnixMs is < RecordBatchLimits.TimeUnixMsMin or > RecordBatchLimits.TimeUnixMsMax)
            throw new RecordBatchException($"the time {timeUnixMs} ms is not within the years 1 to 9999");
        CheckCells(Count + 1, _metrics);
        if (Count == _times.Length)
        {
            var capacity = Math.Min(RecordBatchLimits.RecordsMax, Math.Max(64, Count * 2));
            Array.Resize(ref _times, capacity);
            Array.Resize(ref _seriesOf, capacity);
        }
        _times[Count] = timeUnixMs;
        _seriesOf[Count] = series;
        Count++;
    }

    /// <summary>Sets a value of the record begun last. NaN and infinities are refused.</summary>
    /// <exception cref="RecordBatchException">The value is not finite.</exception>
    public void Set(int metric, double value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)metric, (uint)_metrics, nameof(metric));
        if (Count == 0)
            throw new InvalidOperationException("begin a record before its values are set");
        var column = _columns[metric];
        if (!double.IsFinite(value))
            throw new RecordBatchException($"{column.Name} is {value}: a value is a finite number, and one that was not measured is left out");
        column.Set(Count - 1, value);
    }

    /// <summary>Adds a whole record. When it is refused, nothing of it stays but its series and metrics.</summary>
    /// <exception cref="RecordBatchException">It is over a limit, or a value is not finite.</exception>
    public void Add(GpuSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        var values = sample.Values;
        for (var i = 0; i < values.Count; i++)
        {
            if (!double.IsFinite(values[i].Value))
                throw new RecordBatchException($"{values[i].Name} is {values[i].Value}: a value is a finite number, and one that was not measured is left out");
            MetricAt(i, values[i].Name);
        }
        BeginRecord(sample.TimeUnixMs, Series(sample.Identity));
        for (var i = 0; i < values.Count; i++)
            _columns[MetricAt(i, values[i].Name)].Set(Count - 1, values[i].Value);
    }

    /// <summary>Encodes the records. The result is a new array (it travels by itself); the builder can be cleared at once.</summary>
    /// <param name="trace">The span that made the batch; default for none.</param>
    /// <exception cref="RecordBatchException">There are no records, or the batch is over <see cref="RecordBatchLimits.BytesMax"/>.</exception>
    public ReadOnlyMemory<byte> Build(ActivityContext trace = default) => RecordBatchEncoder.Encode(this, trace);

    /// <summary>Forgets records, series and metrics; keeps the buffers.</summary>
    public void Clear()
    {
        Count = 0;
        _metrics = 0;
        _textBytes = 0;
        _series.Clear();
        _seriesIndex.Clear();
        _metricIndex.Clear();
        _lastIdentity = null;
    }

    /// <summary>The samples of a source have their metrics in one order, so the index is nearly always the place in the list.</summary>
    private int MetricAt(int place, string name) =>
        place < _metrics && ReferenceEquals(_columns[place].Name, name) ? place : Metric(name);

    private static void CheckCells(int records, int metrics)
    {
        if ((long)records * metrics > RecordBatchLimits.CellsMax)
            throw new RecordBatchException($"{records} records of {metrics} metrics are too many for a batch: at most {RecordBatchLimits.CellsMax} values");
    }
}
