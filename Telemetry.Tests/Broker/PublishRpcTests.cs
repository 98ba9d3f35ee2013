using Google.Protobuf;
using Grpc.Core;
using Telemetry.Broker;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class PublishRpcTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Opening_a_producer_makes_the_topic_and_tells_the_limits()
    {
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxPartitions = 3, MaxMessagesPerPartition = 500 });
        var opened = await broker.Queue.OpenProducerAsync(new OpenProducerRequest { Topic = "telemetry", ProducerId = "in/1" }, cancellationToken: Cancel);
        Assert.Equal([0, 1, 2], opened.Partitions.Select(partition => partition.Partition));
        Assert.All(opened.Partitions, partition => Assert.Equal((0, 0, 16), (partition.NextSequence, partition.PositionSequence, partition.Log.TopicId.Length)));
        Assert.Equal((RecordBatchLimits.BytesMax, 500), (opened.BatchBytesMax, opened.BatchRecordsMax));
        Assert.True(opened.ProducerEpoch > 0);
        Assert.Equal("telemetry", Assert.Single((await broker.Admin.ListTopicsAsync(new(), cancellationToken: Cancel)).Topics).Topic);
    }

    [Fact]
    public async Task The_largest_batch_is_no_more_than_the_format_allows()
    {
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxMessagesPerPartition = 1_000_000 });
        var opened = await broker.Queue.OpenProducerAsync(new OpenProducerRequest { Topic = "telemetry", ProducerId = "p" }, cancellationToken: Cancel);
        Assert.Equal(RecordBatchLimits.RecordsMax, opened.BatchRecordsMax);
        var answer = await broker.Queue.PublishAsync(Request(new byte[RecordBatchLimits.BytesMax], RecordBatchLimits.RecordsMax), cancellationToken: Cancel);
        Assert.Equal(0, answer.BaseOffset);
    }

    [Fact]
    public async Task A_publish_without_a_producer_makes_the_topic()
    {
        await using var broker = await RunningBroker.StartAsync();
        var answer = await broker.Queue.PublishAsync(Request([1, 2, 3], 3), cancellationToken: Cancel);
        Assert.Equal((0, false), (answer.BaseOffset, answer.Duplicate));
        Assert.Equal(3, (await broker.Queue.PublishAsync(Request([4], 1), cancellationToken: Cancel)).BaseOffset);
    }

    [Fact]
    public async Task F10_a_restarted_producer_gets_its_state_and_a_retry_is_not_appended_twice()
    {
        await using var broker = await RunningBroker.StartAsync();
        var open = new OpenProducerRequest { Topic = "telemetry", ProducerId = "p" };
        var first = await broker.Queue.OpenProducerAsync(open, cancellationToken: Cancel);
        var request = Request([1], 10, first.ProducerEpoch);
        request.SourcePosition = ByteString.CopyFromUtf8("byte 42");
        await broker.Queue.PublishAsync(request, cancellationToken: Cancel);
        var again = await broker.Queue.PublishAsync(request, cancellationToken: Cancel);
        Assert.Equal((0, true), (again.BaseOffset, again.Duplicate));

        var second = await broker.Queue.OpenProducerAsync(open, cancellationToken: Cancel);
        Assert.Equal((10, 10, "byte 42"), (second.Partitions[0].NextSequence, second.Partitions[0].PositionSequence, second.Partitions[0].SourcePosition.ToStringUtf8()));
        var fenced = await RunningBroker.Refused(() => broker.Queue.PublishAsync(request, cancellationToken: Cancel).ResponseAsync);
        Assert.Equal((StatusCode.FailedPrecondition, "PRODUCER_FENCED"), (fenced.Status, fenced.Code));
        Assert.Null(fenced.RetryMs);
    }

    [Fact]
    public async Task A_publish_is_refused_with_a_delay_when_the_partition_is_full()
    {
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxMessagesPerPartition = 10, MaxPartitions = 1 });
        await broker.Queue.PublishAsync(Request([1], 10), cancellationToken: Cancel);
        var waiting = Request([1], 1);
        waiting.WaitMs = 100;
        var refused = await RunningBroker.Refused(() => broker.Queue.PublishAsync(waiting, cancellationToken: Cancel).ResponseAsync);
        Assert.Equal((StatusCode.ResourceExhausted, "PARTITION_FULL", "250"), (refused.Status, refused.Code, refused.RetryMs));
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task A_malformed_publish_is_refused_with_the_name_of_the_field(string why, string code, Action<PublishRequest> change)
    {
        await using var broker = await RunningBroker.StartAsync();
        await broker.Queue.PublishAsync(Request([1], 1), cancellationToken: Cancel);
        var request = Request([1], 1);
        change(request);
        var refused = await RunningBroker.Refused(() => broker.Queue.PublishAsync(request, cancellationToken: Cancel).ResponseAsync);
        Assert.Equal(code, refused.Code);
        Assert.Contains(why, refused.Detail, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, Action<PublishRequest>> Malformed => new()
    {
        { "batch: is empty", "INVALID_REQUEST", request => request.Batch = ByteString.Empty },
        { "record_count: 0", "INVALID_REQUEST", request => request.RecordCount = 0 },
        { "record_count: -1", "INVALID_REQUEST", request => request.RecordCount = -1 },
        { "wait_ms: 30001", "INVALID_REQUEST", request => request.WaitMs = 30_001 },
        { "wait_ms: -1", "INVALID_REQUEST", request => request.WaitMs = -1 },
        { "base_sequence: -1", "INVALID_REQUEST", request => (request.ProducerId, request.BaseSequence) = ("p", -1) },
        { "source_position: needs a producer_id", "INVALID_REQUEST", request => request.SourcePosition = ByteString.CopyFrom(1) },
        { "source_position: has 4097 bytes", "INVALID_REQUEST", request => (request.ProducerId, request.SourcePosition) = ("p", ByteString.CopyFrom(new byte[4097])) },
        { "topic: is empty", "INVALID_REQUEST", request => request.Topic = "" },
        { "topic: has the character ' '", "INVALID_REQUEST", request => request.Topic = "a b" },
        { "partitions 0 to 1; 2 is none", "UNKNOWN_PARTITION", request => request.Partition = 2 },
        { "partitions 0 to 1; -1 is none", "UNKNOWN_PARTITION", request => request.Partition = -1 },
        { "open it", "UNKNOWN_PRODUCER", request => (request.Topic, request.ProducerId) = ("new", "p") },
        { "4194305 bytes; a batch may have 4194304", "BATCH_TOO_LARGE", request => request.Batch = ByteString.CopyFrom(new byte[RecordBatchLimits.BytesMax + 1]) },
        { "10001 records; a batch in this partition may have 10000", "BATCH_TOO_LARGE", request => request.RecordCount = 10_001 },
    };

    [Fact]
    public async Task A_stream_answers_each_request_in_order_and_stays_open_after_errors()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var stream = new PublishStream(broker.Queue.PublishStream(cancellationToken: Cancel));
        for (var i = 0; i < 100; i++)
            await stream.RequestStream.WriteAsync(Message(Request([1], i % 10 == 9 ? 0 : 2)), Cancel);
        await stream.RequestStream.CompleteAsync();
        var offset = 0;
        for (var i = 0; i < 100; i++)
        {
            var answer = await stream.NextAnswer();
            if (i % 10 == 9)
            {
                Assert.Equal((ErrorCode.InvalidRequest, -1), (answer.Error, answer.BaseOffset));
                Assert.StartsWith("record_count", answer.Message, StringComparison.Ordinal);
            }
            else
            {
                Assert.Equal((ErrorCode.Ok, offset), (answer.Error, answer.BaseOffset));
                offset += 2;
            }
        }
        await stream.ResponseStream.Ended();
    }

    [Fact]
    public async Task A_stream_names_topic_and_producer_once_and_the_log_once()
    {
        await using var broker = await RunningBroker.StartAsync();
        var opened = await broker.Queue.OpenProducerAsync(new OpenProducerRequest { Topic = "telemetry", ProducerId = "p" }, cancellationToken: Cancel);
        using var stream = new PublishStream(broker.Queue.PublishStream(cancellationToken: Cancel));
        await stream.RequestStream.WriteAsync(Message(Request([1], 2, opened.ProducerEpoch)), Cancel);
        await stream.RequestStream.WriteAsync(Message(new PublishRequest { Batch = ByteString.CopyFrom(2), RecordCount = 3, BaseSequence = 2 }), Cancel);
        await stream.RequestStream.WriteAsync(Message(new PublishRequest { Batch = ByteString.CopyFrom(3), RecordCount = 1, Partition = 1 }), Cancel);
        await stream.RequestStream.WriteAsync(Message(new PublishRequest { Batch = ByteString.CopyFrom(1), RecordCount = 2 }), Cancel);
        PublishResponse[] answers = [await stream.NextAnswer(), await stream.NextAnswer(), await stream.NextAnswer(), await stream.NextAnswer()];
        Assert.Equal([(0, false), (2, false), (0, false), (0, true)], answers.Select(answer => (answer.BaseOffset, answer.Duplicate)));
        Assert.Equal([opened.Partitions[0].Log, null, opened.Partitions[1].Log, null], answers.Select(answer => answer.Log));
    }

    [Fact]
    public async Task Publishes_of_one_message_are_answered_one_by_one_in_their_order()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var stream = new PublishStream(broker.Queue.PublishStream(cancellationToken: Cancel));
        var publishes = Enumerable.Range(0, 3000).Select(i => new PublishRequest { Topic = i == 0 ? "telemetry" : "", Partition = i % 2, Batch = ByteString.CopyFrom(1), RecordCount = i == 7 ? 0 : 1 });
        await stream.RequestStream.WriteAsync(Message([.. publishes]), Cancel);
        await stream.RequestStream.WriteAsync(Message(), Cancel);
        await stream.RequestStream.CompleteAsync();
        long[] next = [0, 0];
        for (var i = 0; i < 3000; i++)
        {
            var answer = await stream.NextAnswer();
            Assert.Equal(i == 7 ? -1 : next[i % 2]++, answer.BaseOffset);
        }
        await stream.ResponseStream.Ended();
    }

    [Fact]
    public async Task A_first_request_of_a_stream_without_a_topic_is_refused()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var stream = new PublishStream(broker.Queue.PublishStream(cancellationToken: Cancel));
        await stream.RequestStream.WriteAsync(Message(new PublishRequest { Batch = ByteString.CopyFrom(1), RecordCount = 1 }), Cancel);
        var answer = await stream.NextAnswer();
        Assert.Equal(ErrorCode.InvalidRequest, answer.Error);
        Assert.StartsWith("topic", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_publish_that_waits_for_room_does_not_hold_up_the_streams_other_partitions()
    {
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxMessagesPerPartition = 10, MaxPartitions = 2, MessageTtl = TimeSpan.FromDays(1) });
        using var stream = new PublishStream(broker.Queue.PublishStream(cancellationToken: Cancel));
        await stream.RequestStream.WriteAsync(Message(Request([1], 10)), Cancel);
        Assert.Equal(0, (await stream.NextAnswer()).BaseOffset);
        var waiting = Request([1], 5);
        waiting.WaitMs = 30_000;
        await stream.RequestStream.WriteAsync(Message(waiting), Cancel);
        var other = broker.Core.Topics.Get("telemetry").Partitions[1];
        var changed = other.Changed;
        var toOther = Request([1], 5);
        toOther.Partition = 1;
        await stream.RequestStream.WriteAsync(Message(toOther), Cancel);
        await changed.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal(5, other.HighWatermark);

        // Answers keep their order: the waiting one first.
        using var member = broker.Queue.Join(cancellationToken: Cancel);
        await member.RequestStream.WriteAsync(new MemberMessage { Join = new JoinGroup { Group = "g", Topic = "telemetry", MemberId = "m" } }, Cancel);
        await member.ResponseStream.Next();
        var generation = (await member.ResponseStream.Next()).Assign.Generation;
        var commit = new CommitRequest { Group = "g", MemberId = "m", Offsets = { new OffsetCommit { Shard = 0, Offset = 10, Generation = generation } } };
        Assert.Equal(ErrorCode.Ok, Assert.Single((await broker.Queue.CommitAsync(commit, cancellationToken: Cancel)).Results).Error);
        Assert.Equal(10, (await stream.NextAnswer()).BaseOffset);
        Assert.Equal(0, (await stream.NextAnswer()).BaseOffset);
    }

    [Fact]
    public async Task F25_a_client_that_vanishes_in_mid_stream_leaves_no_publish_waiting()
    {
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxMessagesPerPartition = 10, MaxPartitions = 1 });
        await broker.Queue.PublishAsync(Request([1], 10), cancellationToken: Cancel);
        using var vanish = new CancellationTokenSource();
        using var stream = new PublishStream(broker.Queue.PublishStream(cancellationToken: vanish.Token));
        var waiting = Request([1], 5);
        waiting.WaitMs = 30_000;
        await stream.RequestStream.WriteAsync(Message(waiting), Cancel);
        var partition = broker.Core.Topics.Get("telemetry").Partitions[0];
        await Eventually.Is(() => partition.WaitingCount == 1);
        await vanish.CancelAsync();
        await Eventually.Is(() => partition.WaitingCount == 0);
    }

    [Fact]
    public async Task F35_a_message_far_over_the_limit_ends_the_stream_with_a_clear_error()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var stream = new PublishStream(broker.Queue.PublishStream(cancellationToken: Cancel));
        // The write may be cut short; the read says why.
        await stream.RequestStream.WriteAsync(Message(Request(new byte[BrokerApp.MessageBytesMax + 1], 1)), Cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        var refused = await RunningBroker.Refused(() => stream.ResponseStream.MoveNext(Cancel));
        Assert.Equal((StatusCode.InvalidArgument, "BATCH_TOO_LARGE"), (refused.Status, refused.Code));
    }

    private static PublishRequests Message(params PublishRequest[] publishes) => new() { Publishes = { publishes } };

    private static PublishRequest Request(byte[] batch, int records, int? epoch = null) => new()
    {
        Topic = "telemetry",
        Batch = ByteString.CopyFrom(batch),
        RecordCount = records,
        ProducerId = epoch is null ? "" : "p",
        ProducerEpoch = epoch ?? 0,
    };
}

/// <summary>Answers one by one, however they came.</summary>
internal sealed class PublishStream(AsyncDuplexStreamingCall<PublishRequests, PublishResponses> call) : IDisposable
{
    private readonly Queue<PublishResponse> _answers = new();

    public IClientStreamWriter<PublishRequests> RequestStream => call.RequestStream;

    public IAsyncStreamReader<PublishResponses> ResponseStream => call.ResponseStream;

    public async Task<PublishResponse> NextAnswer()
    {
        while (_answers.Count == 0)
            (await call.ResponseStream.Next()).Answers.ToList().ForEach(_answers.Enqueue);
        return _answers.Dequeue();
    }

    public void Dispose() => call.Dispose();
}
