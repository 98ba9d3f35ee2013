using Telemetry.Messaging.Client;

namespace Telemetry.Collector.Intake;

/// <summary>The broker as the collector's queue.</summary>
internal sealed class BrokerQueue : ICollectorQueue
{
    // Batches under way for each partition; what waits for the store is bounded by IntakeQueue.
    private const int CreditBytes = 4 * 1024 * 1024;

    private readonly QueueConnection _connection;
    private readonly GroupMember _member;
    private readonly string _topic;
    private readonly string _group;

    private readonly ILogger _logger;

    public BrokerQueue(string address, CollectorOptions options, ILogger logger)
    {
        _connection = new QueueConnection(address);
        _member = new GroupMember(_connection, new GroupMemberOptions { Group = options.ConsumerGroup, Topic = options.Topic, Logger = logger });
        (_topic, _group, _logger) = (options.Topic, options.ConsumerGroup, logger);
    }

    public IAsyncEnumerable<AssignmentChange> ChangesAsync(CancellationToken cancellationToken) => _member.ChangesAsync(cancellationToken);

    public IAsyncEnumerable<Fetched> FetchAsync(int partition, FetchFrom from, CancellationToken cancellationToken) =>
        PartitionFetcher.FetchAsync(_connection, _topic, partition, from,
            new FetchOptions { Group = _group, CreditBytes = CreditBytes, Logger = _logger }, cancellationToken);

    public Task ReleaseAsync(IReadOnlyList<int> partitions, CancellationToken cancellationToken) => _member.ReleaseAsync(partitions, cancellationToken);

    // A refused commit tells that the partition is lost; the member reports that as a change.
    public Task CommitAsync(IReadOnlyList<(int Partition, long Offset, long Generation)> offsets, CancellationToken cancellationToken) =>
        _member.CommitAsync(offsets, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _member.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
