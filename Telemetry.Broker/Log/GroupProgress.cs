namespace Telemetry.Broker.Log;

/// <summary>How far a group has read a partition. Changed under the partition's lock only.</summary>
internal sealed class GroupProgress(string group)
{
    private long _committed = -1;

    public string Group { get; } = group;

    /// <summary>The offset of the next record to read; -1: none was committed.</summary>
    public long Committed
    {
        get => Volatile.Read(ref _committed);
        set => Volatile.Write(ref _committed, value);
    }

    /// <summary>Wall time of the last commit; 0: never.</summary>
    public long CommittedUnixMs { get; set; }

    /// <summary>Records that expired before the group had read them.</summary>
    public long GapRecords { get; set; }
}

/// <summary>How far behind a group is in a partition.</summary>
/// <param name="Records">Records that are not committed yet.</param>
/// <param name="Seconds">The age of the oldest of them.</param>
internal readonly record struct Lag(long Records, double Seconds);
