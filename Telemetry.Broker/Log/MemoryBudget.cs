namespace Telemetry.Broker.Log;

/// <summary>The bytes that all partitions together may hold in memory.</summary>
internal sealed class MemoryBudget(long bytesMax)
{
    private long _used;

    /// <summary>Bytes in use.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Whether so many more fit. Partitions ask and add at the same time, so it may be exceeded by a batch for each of them.</summary>
    public bool HasRoom(long bytes) => Used + bytes <= bytesMax;

    /// <summary>Takes bytes, or gives them back when negative.</summary>
    public void Add(long bytes) => Interlocked.Add(ref _used, bytes);
}
