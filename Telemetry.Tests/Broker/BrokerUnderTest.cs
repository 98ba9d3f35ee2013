using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Broker.Log;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

/// <summary>A broker's core with a clock that the test moves.</summary>
internal sealed class BrokerUnderTest : IAsyncDisposable
{
    // Not of the exported names: the brokers that other tests scrape run in this process too.
    private readonly BrokerMetrics _metrics = new(new Meter("BrokerUnderTest"));
    private byte _ids;

    public BrokerUnderTest(
        int records = 100, TimeSpan? ttl = null, int partitions = 1, BrokerLimits? limits = null, PartitionStorageFactory? storages = null, JumpingTime? time = null)
    {
        Time = time ?? new JumpingTime();
        Core = new BrokerCore(
            new BrokerOptions { MaxMessagesPerPartition = records, MessageTtl = ttl ?? TimeSpan.FromHours(24), MaxPartitions = partitions },
            Time,
            _metrics,
            storages,
            limits,
            () => new Guid(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ++_ids),
            (_, error) => StorageFailures.Add(error));
    }

    public JumpingTime Time { get; }

    public BrokerCore Core { get; }

    public List<Exception> StorageFailures { get; } = [];

    public Topic Topic => Core.Topics.GetOrMake("telemetry");

    public PartitionLog Partition => Topic.Partitions[0];

    public void Pass(TimeSpan time)
    {
        Time.Advance(time);
        Core.Tick();
    }

    public Task<PublishOutcome> Publish(int records = 10, TimeSpan wait = default, CancellationTokenSource? giveUp = null) =>
        Partition.Publish(new PublishBatch(Payload(records), records), wait, giveUp?.Token ?? TestContext.Current.CancellationToken).OutcomeAsync().AsTask();

    public Task<PublishOutcome> Publish(string producerId, int epoch, long sequence, int records = 10, TimeSpan wait = default, byte[]? position = null) =>
        Partition.Publish(new PublishBatch(Payload(records), records, producerId, epoch, sequence, position ?? []), wait, TestContext.Current.CancellationToken).OutcomeAsync().AsTask();

    public async Task<int> Open(string producerId) => (await Topic.OpenProducerAsync(producerId, TestContext.Current.CancellationToken)).Epoch;

    public MemberSession Join(string group, string member, int shards = 0, int sessionSeconds = 10, int rebalanceSeconds = 10, string topic = "telemetry") =>
        Core.Groups.Join(group, topic, shards, new MemberOptions(member, TimeSpan.FromSeconds(sessionSeconds), TimeSpan.FromSeconds(rebalanceSeconds), "test"));

    public ErrorCode Commit(string group, string member, long offset, int shard = 0)
    {
        var generation = Generations[(group, shard)];
        return Core.Groups.Get(group).Commit(member, shard, offset, generation).Error;
    }

    /// <summary>What <see cref="Drain"/> saw of assignments.</summary>
    public Dictionary<(string Group, int Shard), long> Generations { get; } = [];

    /// <summary>What the member has been told since the last time.</summary>
    public List<MemberEvent> Drain(MemberSession session)
    {
        var events = new List<MemberEvent>();
        using var stop = new CancellationTokenSource();
        var reader = session.EventsAsync(stop.Token).GetAsyncEnumerator(stop.Token);
        while (true)
        {
            var next = reader.MoveNextAsync();
            if (!next.IsCompleted)
            {
                stop.Cancel();
                next.AsTask().ContinueWith(_ => { }, TaskScheduler.Default).GetAwaiter().GetResult();
                break;
            }
            if (!next.GetAwaiter().GetResult())
                break;
            events.Add(reader.Current);
            if (reader.Current is MemberEvent.Assigned assigned)
            {
                foreach (var shard in assigned.Shards)
                    Generations[(session.Group.Name, shard.Shard)] = assigned.Generation;
            }
        }
        return events;
    }

    public static byte[] Payload(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)i)];

    public async ValueTask DisposeAsync()
    {
        await Core.DisposeAsync();
        _metrics.Dispose();
    }
}

/// <summary>A clock whose wall time can jump while its monotonic time goes on.</summary>
internal sealed class JumpingTime() : FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero))
{
    public TimeSpan Jump { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Jump;

    public override long GetTimestamp() => base.GetUtcNow().Ticks;
}
