using Telemetry.Messaging.Client;

namespace Telemetry.Streamer.Shards;

/// <summary>What the streamer needs of the queue. Tests put their own in its place.</summary>
internal interface IInputQueue : IAsyncDisposable
{
    /// <summary>The queue, for people.</summary>
    string Address { get; }

    /// <summary>Waits until the queue can be reached, makes the topic if it is new, and returns the number of its partitions.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="onRetry">Gets the reason before each wait.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<int> PartitionsAsync(string topic, Action<string> onRetry, CancellationToken cancellationToken);

    /// <summary>Joins the group that divides an input.</summary>
    IShardMembership Join(string group, string topic, int shards);

    /// <summary>Opens a shard's producer: older incarnations are fenced, and the state is what they left.</summary>
    Task<IShardProducer> OpenAsync(string topic, string producerId, int partition, CancellationToken cancellationToken);
}

/// <summary>The membership in the group that divides an input. Disposing leaves the group.</summary>
internal interface IShardMembership : IAsyncDisposable
{
    /// <summary>The changes of the assignment, in their order.</summary>
    IAsyncEnumerable<AssignmentChange> ChangesAsync(CancellationToken cancellationToken);

    /// <summary>Gives revoked shards back.</summary>
    Task ReleaseAsync(IReadOnlyList<int> shards, CancellationToken cancellationToken);

    /// <summary>Says that nothing is left to send of shards; <see cref="AssignmentChange.AllFinished"/> follows when that holds for all of the input.</summary>
    Task FinishAsync(IReadOnlyList<int> shards, CancellationToken cancellationToken);
}

/// <summary>The producer of one shard, which writes to one partition.</summary>
internal interface IShardProducer : IAsyncDisposable
{
    /// <summary>What the queue had of the shard when the producer was opened.</summary>
    ProducerState Opened { get; }

    /// <summary>Takes a batch; the inner task ends with its acknowledgement (see <see cref="QueueProducer.SendAsync"/>).</summary>
    ValueTask<Task<PublishResult>> SendAsync(ReadOnlyMemory<byte> batch, int recordCount, ReadOnlyMemory<byte> position, CancellationToken cancellationToken);
}
