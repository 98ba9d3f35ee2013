using System.Diagnostics;

namespace Telemetry.Messaging.Records;

/// <summary>
/// Collects records column by column and encodes them as a record batch. Reusable: <see cref="Clear"/> keeps the buffers.
/// Not thread-safe. Adding allocates nothing a record once series and metrics are known.
/// </summary>
public sealed class RecordBatchBuilder
{
    /// <summary>Records so far.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>An upper bound of the bytes that <see cref="Build"/> would write.</summary>
    public int EncodedBytesMax => throw new NotImplementedException();

    /// <summary>The index of an identity in this batch; adds it if it is new.</summary>
    public int Series(GpuIdentity identity) => throw new NotImplementedException();

    /// <summary>The index of a metric in this batch; adds it if it is new.</summary>
    /// <exception cref="RecordBatchException">Too many metrics.</exception>
    public int Metric(string name) => throw new NotImplementedException();

    /// <summary>Begins a record without values.</summary>
    public void BeginRecord(long timeUnixMs, int series) => throw new NotImplementedException();

    /// <summary>Sets a value of the record begun last. NaN and infinities are refused.</summary>
    public void Set(int metric, double value) => throw new NotImplementedException();

    /// <summary>Adds a whole record.</summary>
    public void Add(GpuSample sample) => throw new NotImplementedException();

    /// <summary>Encodes the records. The result is a new array (it travels by itself); the builder can be cleared at once.</summary>
    /// <param name="trace">The span that made the batch; default for none.</param>
    public ReadOnlyMemory<byte> Build(ActivityContext trace = default) => throw new NotImplementedException();

    /// <summary>Forgets records, series and metrics; keeps the buffers.</summary>
    public void Clear() => throw new NotImplementedException();
}
