namespace Telemetry.Broker.Commands;

/// <summary>Records of a partition, in the order of their offsets.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="LogStartOffset">The oldest offset that can be read.</param>
/// <param name="HighWatermark">The offset after the newest record.</param>
/// <param name="Records">The records.</param>
/// <param name="Unreadable">What lies between them and cannot be shown.</param>
internal sealed record PeekAnswer(
    string Topic, int Partition, long LogStartOffset, long HighWatermark, IReadOnlyList<RecordAnswer> Records, IReadOnlyList<UnreadableAnswer> Unreadable);

/// <summary>A record. A label that its source did not say is null, a metric that was not measured is not there.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="AppendedAt">When the broker got it.</param>
/// <param name="Timestamp">Its own time.</param>
/// <param name="HostId">The host.</param>
/// <param name="GpuId">The GPU's index on its host.</param>
/// <param name="Uuid">The GPU's UUID.</param>
/// <param name="Model">The GPU's model.</param>
/// <param name="Device">The device's name on the host.</param>
/// <param name="Pod">The pod that holds it.</param>
/// <param name="Namespace">That pod's namespace.</param>
/// <param name="Container">That pod's container.</param>
/// <param name="Metrics">Its values by name.</param>
/// <param name="Poisoned">Whether it has a value that is not finite, which is left out.</param>
internal sealed record RecordAnswer(
    long Offset,
    DateTimeOffset AppendedAt,
    DateTimeOffset Timestamp,
    string HostId,
    string GpuId,
    string? Uuid,
    string? Model,
    string? Device,
    string? Pod,
    string? Namespace,
    string? Container,
    IReadOnlyDictionary<string, double> Metrics,
    bool Poisoned);

/// <summary>Offsets [from_offset, to_offset) that cannot be shown: a batch that cannot be decoded, or a hole in the log.</summary>
internal sealed record UnreadableAnswer(long FromOffset, long ToOffset, DateTimeOffset? AppendedAt, int Bytes, string Reason);
