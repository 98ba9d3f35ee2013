using Telemetry.Messaging.Client;

namespace Telemetry.Collector.Intake;

/// <summary>What the collector needs of a queue: a place in a group, the partitions' records, and a note of how far it is.</summary>
internal interface ICollectorQueue : IAsyncDisposable
{
    /// <summary>What happens to the assignment, in order, until the queue is disposed. One reader.</summary>
    IAsyncEnumerable<AssignmentChange> ChangesAsync(CancellationToken cancellationToken);

    /// <summary>Reads a partition until cancelled.</summary>
    IAsyncEnumerable<Fetched> FetchAsync(int partition, FetchFrom from, CancellationToken cancellationToken);

    /// <summary>Gives revoked partitions back.</summary>
    Task ReleaseAsync(IReadOnlyList<int> partitions, CancellationToken cancellationToken);

    /// <summary>Notes how far the group is; advisory, as the store has the truth.</summary>
    Task CommitAsync(IReadOnlyList<(int Partition, long Offset, long Generation)> offsets, CancellationToken cancellationToken);
}
