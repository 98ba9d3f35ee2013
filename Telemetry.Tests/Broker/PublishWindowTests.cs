using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

/// <summary>What a publish stream takes before it answers is bounded: a client that sends on and on is made to wait by its connection.</summary>
public sealed class PublishWindowTests
{
    private const int Full = 50_000; // records

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_has_no_more_than_16384_publishes_under_way() =>
        // One is awaited by who answers, and one is taken and waits to be noted.
        await CheckAsync(publishes: 20_000, bytes: 1, underWay: 16_384, more: 2);

    [Fact]
    public async Task A_stream_has_no_more_than_16_MiB_under_way() =>
        await CheckAsync(publishes: 40, bytes: 1 << 20, underWay: 16, more: 0);

    [Fact]
    public async Task What_does_not_fit_beside_others_goes_when_they_are_answered() =>
        await CheckAsync(publishes: 20, bytes: 3 << 20, underWay: 5, more: 0);

    /// <summary>Publishes into a full partition, where everything has to wait, until there is room.</summary>
    private static async Task CheckAsync(int publishes, int bytes, int underWay, int more)
    {
        // Time stands still: nothing waits too long.
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxPartitions = 2, MaxMessagesPerPartition = Full }, new JumpingTime());
        await using var connection = new QueueConnection($"127.0.0.1:{broker.Address.Port}");
        await using var producer = await QueueProducer.OpenAsync(
            connection, new ProducerOptions { Topic = "telemetry", ProducerId = "p", InFlightMax = publishes + 1, FullWait = TimeSpan.FromSeconds(30) }, Cancel);
        await await producer.SendAsync(0, new byte[1], Full, default, Cancel);
        var batch = new byte[bytes];
        var sent = new List<Task<PublishResult>>();
        for (var i = 0; i < publishes; i++)
            sent.Add(await producer.SendAsync(0, batch, 1, default, Cancel));

        var partition = broker.Core.Topics.Get("telemetry").Partitions[0];
        await Eventually.Is(() => partition.WaitingCount >= underWay);
        // The broker answers others meanwhile, and takes no more of this one.
        for (var i = 0; i < 50; i++)
            await connection.Admin.ListTopicsAsync(new(), cancellationToken: Cancel);
        Assert.InRange(partition.WaitingCount, underWay, underWay + more);

        var reader = broker.Core.Groups.Join("g", "telemetry", 0, new MemberOptions("m", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), "test"));
        var member = reader.Group.Describe();
        Assert.Equal(ErrorCode.Ok, reader.Group.Commit("m", 0, Full, member.Generation).Error);
        var results = await Task.WhenAll(sent).WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal(Enumerable.Range(Full, publishes).Select(offset => new PublishResult(offset, false)), results);
    }
}
