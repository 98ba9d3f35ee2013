using System.Diagnostics;

namespace Telemetry.Messaging.Records;

/// <summary>A decoded record batch: columns of equal length.</summary>
public sealed class RecordBatch
{
    private readonly long[] _times;
    private readonly int[] _seriesOf;
    private readonly double[][] _values;

    internal RecordBatch(GpuIdentity[] series, string[] metrics, long[] times, int[] seriesOf, double[][] values, int[] poisoned, ActivityContext trace)
    {
        Series = series;
        Metrics = metrics;
        _times = times;
        _seriesOf = seriesOf;
        _values = values;
        Poisoned = poisoned;
        Trace = trace;
    }

    /// <summary>
    /// Decodes and checks a batch. Never reads outside <paramref name="encoded"/>; time is linear in its length and its
    /// record count, and what is allocated is bounded by <see cref="RecordBatchLimits"/>, whatever the bytes are.
    /// </summary>
    /// <exception cref="RecordBatchException">It is not a batch, is of an unknown version, or is damaged.</exception>
    public static RecordBatch Decode(ReadOnlySpan<byte> encoded) => RecordBatchDecoder.Decode(encoded, null);

    /// <summary>The same, with identities taken from a cache, so that a GPU is one object over all batches.</summary>
    /// <exception cref="RecordBatchException">It is not a batch, is of an unknown version, or is damaged.</exception>
    public static RecordBatch Decode(ReadOnlySpan<byte> encoded, IdentityCache identities) => RecordBatchDecoder.Decode(encoded, identities);

    /// <summary>Divides a batch into its earlier and its later half.</summary>
    /// <returns>The two encoded halves and their records; the halves keep the order and the trace.</returns>
    /// <exception cref="RecordBatchException">It cannot be decoded, has one record only, or has a poisoned record.</exception>
    public static ((ReadOnlyMemory<byte> Encoded, int Count) First, (ReadOnlyMemory<byte> Encoded, int Count) Second) Split(ReadOnlySpan<byte> encoded)
    {
        var batch = Decode(encoded);
        if (batch.Count < 2)
            throw new RecordBatchException("a batch of one record cannot be split");
        var builder = new RecordBatchBuilder();
        var half = batch.Count / 2;
        var first = batch.Encode(builder, 0, half);
        builder.Clear();
        return ((first, half), (batch.Encode(builder, half, batch.Count), batch.Count - half));
    }

    /// <summary>The records.</summary>
    public int Count => _times.Length;

    /// <summary>The identities, each once.</summary>
    public IReadOnlyList<GpuIdentity> Series { get; }

    /// <summary>The metric names, each once; a column each.</summary>
    public IReadOnlyList<string> Metrics { get; }

    /// <summary>Each record's time in milliseconds since 1970-01-01 UTC.</summary>
    public ReadOnlyMemory<long> Times => _times;

    /// <summary>Each record's index into <see cref="Series"/>.</summary>
    public ReadOnlyMemory<int> SeriesOf => _seriesOf;

    /// <summary>A metric's value for each record; NaN where it is absent.</summary>
    public ReadOnlyMemory<double> Values(int metric) => _values[metric];

    /// <summary>
    /// Records with a present value that is not finite (a foreign encoder's mistake), by index, ascending; normally none.
    /// A present NaN looks absent in <see cref="Values"/>.
    /// </summary>
    public IReadOnlyList<int> Poisoned { get; }

    /// <summary>The span that made the batch; default for none.</summary>
    public ActivityContext Trace { get; }

    /// <summary>The records one by one, for tests, tools and splitting; the columns are the fast way.</summary>
    public IEnumerable<GpuSample> Samples()
    {
        for (var record = 0; record < Count; record++)
        {
            var values = new List<MetricValue>(Metrics.Count);
            for (var metric = 0; metric < _values.Length; metric++)
            {
                if (!double.IsNaN(_values[metric][record]))
                    values.Add(new MetricValue(Metrics[metric], _values[metric][record]));
            }
            yield return new GpuSample(_times[record], Series[_seriesOf[record]], values);
        }
    }

    private ReadOnlyMemory<byte> Encode(RecordBatchBuilder builder, int from, int to)
    {
        if (Poisoned.Count > 0)
            throw new RecordBatchException($"record {Poisoned[0]} has a value that is not finite");
        foreach (var metric in Metrics)
            builder.Metric(metric);
        for (var record = from; record < to; record++)
        {
            builder.BeginRecord(_times[record], builder.Series(Series[_seriesOf[record]]));
            for (var metric = 0; metric < _values.Length; metric++)
            {
                if (!double.IsNaN(_values[metric][record]))
                    builder.Set(metric, _values[metric][record]);
            }
        }
        return builder.Build(Trace);
    }
}
