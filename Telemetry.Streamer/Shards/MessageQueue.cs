using Grpc.Core;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Streamer.Shards;

/// <summary>The queue by way of its clients.</summary>
internal sealed class MessageQueue(string address, ILoggerFactory loggers) : IInputQueue
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);

    private readonly QueueConnection _connection = new(address);
    private readonly ILogger _logger = loggers.CreateLogger<QueueConnection>();

    /// <inheritdoc/>
    public string Address => _connection.Address.ToString();

    /// <inheritdoc/>
    public async Task<int> PartitionsAsync(string topic, Action<string> onRetry, CancellationToken cancellationToken)
    {
        while (true)
        {
            await _connection.WaitUntilReachableAsync(onRetry, cancellationToken);
            try
            {
                return (await DescribeOrCreateAsync(topic, cancellationToken)).Partitions.Count;
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.AlreadyExists)
            {
                // It went away just now, or another streamer made the topic at the same moment.
                onRetry(error.Status.Detail);
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(100, 500)), cancellationToken);
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.Cancelled)
            {
                cancellationToken.ThrowIfCancellationRequested();
                onRetry(error.Status.Detail);
            }
            catch (RpcException error)
            {
                throw new QueueException(ErrorCode.InvalidRequest, error.Status.Detail, error);
            }
        }
    }

    /// <inheritdoc/>
    public IShardMembership Join(string group, string topic, int shards) =>
        new Membership(new GroupMember(_connection, new GroupMemberOptions { Group = group, Topic = topic, Shards = shards, Logger = _logger }));

    /// <inheritdoc/>
    public async Task<IShardProducer> OpenAsync(string topic, string producerId, int partition, CancellationToken cancellationToken) =>
        new ShardProducer(await QueueProducer.OpenAsync(_connection, new ProducerOptions { Topic = topic, ProducerId = producerId, Logger = _logger }, cancellationToken), partition);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task<TopicDescription> DescribeOrCreateAsync(string topic, CancellationToken cancellationToken)
    {
        try
        {
            return await DescribeAsync(topic, cancellationToken);
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.NotFound)
        {
            try
            {
                return await _connection.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic }, deadline: DateTime.UtcNow + CallLimit, cancellationToken: cancellationToken);
            }
            catch (RpcException raced) when (raced.StatusCode == StatusCode.AlreadyExists)
            {
                return await DescribeAsync(topic, cancellationToken); // another replica was quicker
            }
        }
    }

    private async Task<TopicDescription> DescribeAsync(string topic, CancellationToken cancellationToken) =>
        await _connection.Admin.DescribeTopicAsync(new DescribeTopicRequest { Topic = topic }, deadline: DateTime.UtcNow + CallLimit, cancellationToken: cancellationToken);

    private sealed class Membership(GroupMember member) : IShardMembership
    {
        public IAsyncEnumerable<AssignmentChange> ChangesAsync(CancellationToken cancellationToken) => member.ChangesAsync(cancellationToken);

        public Task ReleaseAsync(IReadOnlyList<int> shards, CancellationToken cancellationToken) => member.ReleaseAsync(shards, cancellationToken);

        public Task FinishAsync(IReadOnlyList<int> shards, CancellationToken cancellationToken) => member.FinishAsync(shards, cancellationToken);

        public ValueTask DisposeAsync() => member.DisposeAsync();
    }

    private sealed class ShardProducer(QueueProducer producer, int partition) : IShardProducer
    {
        public ProducerState Opened => producer.Opened[partition];

        public ValueTask<Task<PublishResult>> SendAsync(ReadOnlyMemory<byte> batch, int recordCount, ReadOnlyMemory<byte> position, CancellationToken cancellationToken) =>
            producer.SendAsync(partition, batch, recordCount, position, cancellationToken);

        public ValueTask DisposeAsync() => producer.DisposeAsync();
    }
}
