using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Broker;
using Telemetry.Messaging.V1;
using Telemetry.Tests.Streamer;

namespace Telemetry.Tests.Broker;

public sealed class FetchRpcTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fetch_says_where_it_starts_and_waits_for_new_records()
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, 10);
        using var fetch = await Start(broker, new FetchStart { Earliest = true, CreditBytes = 1000 });
        var started = await fetch.ResponseStream.Next();
        Assert.Equal((0, 0, 10), (started.Started.Offset, started.Started.LogStartOffset, started.HighWatermark));
        Assert.Equal(broker.Core.Topics.Get("telemetry").Id.ToByteArray(bigEndian: true), started.Started.Log.TopicId.ToByteArray());
        var first = await fetch.ResponseStream.Next();
        Assert.Equal((0, 10), (first.Batch.BaseOffset, first.Batch.RecordCount));
        Assert.Equal(new byte[10], first.Batch.Batch.ToByteArray());
        Assert.True(first.Batch.AppendTimeUnixMs > 0);

        var next = fetch.ResponseStream.Next();
        Assert.False(next.IsCompleted);
        await Publish(broker, 5);
        Assert.Equal((10, 15), ((await next).Batch.BaseOffset, (await next).HighWatermark));
    }

    [Fact]
    public async Task Batches_come_only_while_there_is_credit()
    {
        await using var broker = await RunningBroker.StartAsync();
        for (var i = 0; i < 5; i++)
            await Publish(broker, 100);
        using var fetch = await Start(broker, new FetchStart { Earliest = true, CreditBytes = 150 });
        await fetch.ResponseStream.Next();
        Assert.Equal(0, (await fetch.ResponseStream.Next()).Batch.BaseOffset);
        Assert.Equal(100, (await fetch.ResponseStream.Next()).Batch.BaseOffset); // credit is -50 now
        await fetch.RequestStream.WriteAsync(new FetchRequest { CreditBytes = 51 }, Cancel);
        Assert.Equal(200, (await fetch.ResponseStream.Next()).Batch.BaseOffset); // credit is -99 now
        await fetch.RequestStream.WriteAsync(new FetchRequest { CreditBytes = 99 }, Cancel);
        await fetch.RequestStream.CompleteAsync();
        await fetch.ResponseStream.Ended(); // and nothing came for a credit of 0
    }

    [Fact]
    public async Task F20_an_offset_of_a_lost_log_starts_the_new_one_also_when_its_topic_is_not_made_yet()
    {
        await using var broker = await RunningBroker.StartAsync();
        var lost = new LogId { TopicId = ByteString.CopyFrom(new byte[16]), LogEpoch = 1 };
        using var fetch = await Start(broker, new FetchStart { Offset = 500, ExpectedLog = lost, CreditBytes = 1000 });
        var started = (await fetch.ResponseStream.Next()).Started;
        Assert.NotEqual(lost, started.Log);
        Assert.Equal(0, started.Offset);
        Assert.Equal(new Gap { FromOffset = 500, ToOffset = 0, Reason = GapReason.GapLogReplaced }, (await fetch.ResponseStream.Next()).Gap);
        await Publish(broker, 10);
        Assert.Equal(0, (await fetch.ResponseStream.Next()).Batch.BaseOffset);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_fetch_that_makes_no_sense_is_refused(StatusCode status, string code, string why, FetchStart start)
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, 10);
        using var fetch = await Start(broker, start.Clone());
        var refused = await RunningBroker.Refused(() => fetch.ResponseStream.MoveNext(Cancel));
        Assert.Equal((status, code), (refused.Status, refused.Code));
        Assert.Contains(why, refused.Detail, StringComparison.Ordinal);
    }

    public static TheoryData<StatusCode, string, string, FetchStart> Refusals => new()
    {
        { StatusCode.InvalidArgument, "INVALID_REQUEST", "start.from", new FetchStart() },
        { StatusCode.InvalidArgument, "INVALID_REQUEST", "start.offset: -1", new FetchStart { Offset = -1 } },
        { StatusCode.InvalidArgument, "INVALID_REQUEST", "start.credit_bytes: -1", new FetchStart { Earliest = true, CreditBytes = -1 } },
        { StatusCode.InvalidArgument, "INVALID_REQUEST", "topic_id: has 3 bytes", new FetchStart { Offset = 1, ExpectedLog = new LogId { TopicId = ByteString.CopyFrom(1, 2, 3) } } },
        { StatusCode.InvalidArgument, "INVALID_REQUEST", "group: has", new FetchStart { Earliest = true, Group = "a b" } },
        { StatusCode.OutOfRange, "OFFSET_OUT_OF_RANGE", "offset 11 is beyond the end", new FetchStart { Offset = 11 } },
        { StatusCode.NotFound, "UNKNOWN_PARTITION", "9 is none of them", new FetchStart { Earliest = true, Partition = 9 } },
        { StatusCode.NotFound, "UNKNOWN_TOPIC", "topic 'other' is not known", new FetchStart { Earliest = true, Topic = "other" } },
    };

    [Fact]
    public async Task A_fetch_has_to_begin_with_a_start_and_go_on_with_credit()
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, 10);
        using var headless = broker.Queue.Fetch(cancellationToken: Cancel);
        await headless.RequestStream.WriteAsync(new FetchRequest { CreditBytes = 1 }, Cancel);
        Assert.Equal("INVALID_REQUEST", (await RunningBroker.Refused(() => headless.ResponseStream.MoveNext(Cancel))).Code);

        using var twice = await Start(broker, new FetchStart { Latest = true });
        await twice.ResponseStream.Next();
        await twice.RequestStream.WriteAsync(new FetchRequest { Start = new FetchStart() }, Cancel);
        Assert.Equal("INVALID_REQUEST", (await RunningBroker.Refused(() => twice.ResponseStream.MoveNext(Cancel))).Code);
    }

    [Fact]
    public async Task F21_a_fetch_ends_when_its_topic_is_deleted()
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, 10);
        using var fetch = await Start(broker, new FetchStart { Latest = true, CreditBytes = 1000 });
        await fetch.ResponseStream.Next();
        await broker.Admin.DeleteTopicAsync(new DeleteTopicRequest { Topic = "telemetry" }, cancellationToken: Cancel);
        var refused = await RunningBroker.Refused(() => fetch.ResponseStream.MoveNext(Cancel));
        Assert.Equal("UNKNOWN_TOPIC", refused.Code);
        Assert.Contains("was deleted", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task F19_a_consumer_is_told_what_expired_and_goes_on_after_it()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow); // stands still when the first records have expired, so that the others do not
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxPartitions = 1, MessageTtl = TimeSpan.FromMinutes(1) }, time);
        await Publish(broker, 10);
        var partition = broker.Core.Topics.Get("telemetry").Partitions[0];
        var log = partition.Log;
        await time.PassAsync(TimeSpan.FromSeconds(1), () => partition.StartOffset == 10);
        using var fetch = await Start(broker, new FetchStart
        {
            Offset = 3,
            CreditBytes = 1000,
            ExpectedLog = new LogId { TopicId = ByteString.CopyFrom(log.TopicId.ToByteArray(bigEndian: true)), LogEpoch = log.LogEpoch },
        });
        Assert.Equal((10, 10), ((await fetch.ResponseStream.Next()).Started.Offset, fetch.ResponseStream.Current.Started.LogStartOffset));
        Assert.Equal(new Gap { FromOffset = 3, ToOffset = 10, Reason = GapReason.GapExpired }, (await fetch.ResponseStream.Next()).Gap);
        await Publish(broker, 5);
        Assert.Equal(10, (await fetch.ResponseStream.Next()).Batch.BaseOffset);
    }

    private static async Task Publish(RunningBroker broker, int records) => await broker.Queue.PublishAsync(
        new PublishRequest { Topic = "telemetry", Batch = ByteString.CopyFrom(new byte[records]), RecordCount = records }, cancellationToken: Cancel);

    private static async Task<AsyncDuplexStreamingCall<FetchRequest, FetchResponse>> Start(RunningBroker broker, FetchStart start)
    {
        if (start.Topic.Length == 0)
            start.Topic = "telemetry";
        var fetch = broker.Queue.Fetch(cancellationToken: Cancel);
        await fetch.RequestStream.WriteAsync(new FetchRequest { Start = start }, Cancel);
        return fetch;
    }
}
