using System.Diagnostics;

namespace Telemetry.Messaging.Records;

/// <summary>A decoded record batch: columns of equal length.</summary>
public sealed class RecordBatch
{
    private RecordBatch() { }

    /// <summary>Decodes and checks a batch. Never reads outside <paramref name="encoded"/> and allocates in proportion to it.</summary>
    /// <exception cref="RecordBatchException">It is not a batch, is of an unknown version, or is damaged.</exception>
    public static RecordBatch Decode(ReadOnlySpan<byte> encoded) => throw new NotImplementedException();

    /// <summary>The records.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>The identities, each once.</summary>
    public IReadOnlyList<GpuIdentity> Series => throw new NotImplementedException();

    /// <summary>The metric names, each once; a column each.</summary>
    public IReadOnlyList<string> Metrics => throw new NotImplementedException();

    /// <summary>Each record's time in milliseconds since 1970-01-01 UTC.</summary>
    public ReadOnlyMemory<long> Times => throw new NotImplementedException();

    /// <summary>Each record's index into <see cref="Series"/>.</summary>
    public ReadOnlyMemory<int> SeriesOf => throw new NotImplementedException();

    /// <summary>A metric's value for each record; NaN where it is absent.</summary>
    public ReadOnlyMemory<double> Values(int metric) => throw new NotImplementedException();

    /// <summary>Records with a present value that is not finite (a foreign encoder's mistake), by index; normally none.</summary>
    public IReadOnlyList<int> Poisoned => throw new NotImplementedException();

    /// <summary>The span that made the batch; default for none.</summary>
    public ActivityContext Trace => throw new NotImplementedException();

    /// <summary>The records one by one, for tests, tools and splitting; the columns are the fast way.</summary>
    public IEnumerable<GpuSample> Samples() => throw new NotImplementedException();
}
