using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

/// <summary>What a publish stream takes beyond the oldest that is not answered is bounded: a client that sends on and on is made to wait by its connection.</summary>
public sealed class PublishWindowTests
{
    private const int Full = 50_000; // records

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_takes_no_more_than_16384_publishes_beyond_the_first_that_waits() =>
        // And one that is taken and waits for its place among them.
        await CheckAsync(publishes: 20_000, bytes: 1, taken: 16_384 + 1);

    [Fact]
    public async Task A_stream_takes_no_more_than_16_MiB_with_the_first_that_waits() =>
        await CheckAsync(publishes: 40, bytes: 1 << 20, taken: 16 - 1);

    [Fact]
    public async Task What_fits_no_more_in_part_is_not_taken() =>
        await CheckAsync(publishes: 20, bytes: 3 << 20, taken: 5 - 1);

    /// <summary>One publish waits in a full partition, with others behind it that go to another, until there is room.</summary>
    private static async Task CheckAsync(int publishes, int bytes, int taken)
    {
        // Time stands still: nothing waits too long.
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxPartitions = 2, MaxMessagesPerPartition = Full }, new JumpingTime());
        await using var connection = new QueueConnection($"127.0.0.1:{broker.Address.Port}");
        await using var producer = await QueueProducer.OpenAsync(
            connection, new ProducerOptions { Topic = "telemetry", ProducerId = "p", InFlightMax = publishes + 1, FullWait = TimeSpan.FromSeconds(30) }, Cancel);
        await await producer.SendAsync(0, new byte[1], Full, default, Cancel);
        var (full, other) = (broker.Core.Topics.Get("telemetry").Partitions[0], broker.Core.Topics.Get("telemetry").Partitions[1]);
        var batch = new byte[bytes];
        var waiting = await producer.SendAsync(0, batch, 1, default, Cancel);
        await Eventually.Is(() => full.WaitingCount == 1);
        var behind = new List<Task<PublishResult>>();
        for (var i = 0; i < publishes; i++)
            behind.Add(await producer.SendAsync(1, batch, 1, default, Cancel));
        await Eventually.Is(() => other.HighWatermark >= taken);
        // The broker answers others meanwhile, and takes no more of this one.
        for (var i = 0; i < 50; i++)
            await connection.Admin.ListTopicsAsync(new(), cancellationToken: Cancel);
        Assert.Equal(taken, other.HighWatermark);
        Assert.All(behind, publish => Assert.False(publish.IsCompleted));

        var reader = broker.Core.Groups.Join("g", "telemetry", 0, new MemberOptions("m", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), "test"));
        Assert.Equal(ErrorCode.Ok, reader.Group.Commit("m", 0, Full, reader.Group.Describe().Generation).Error);
        Assert.Equal(Full, (await waiting.WaitAsync(TimeSpan.FromSeconds(60), Cancel)).BaseOffset);
        var results = await Task.WhenAll(behind).WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal(Enumerable.Range(0, publishes).Select(offset => new PublishResult(offset, false)), results);
    }
}
