using Google.Protobuf;
using Grpc.Core;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Messaging;

public sealed class PartitionFetcherTests : IAsyncLifetime
{
    private static readonly LogIdentity Old = new(Guid.NewGuid(), 1);
    private static readonly LogIdentity New = new(Guid.NewGuid(), 1);

    private readonly ListLogger _logger = new();
    private FakeBroker _broker = null!;
    private QueueConnection _connection = null!;
    private CancellationTokenSource _cancel = null!;
    private IAsyncEnumerator<Fetched>? _fetch;

    public async ValueTask InitializeAsync()
    {
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        _broker = await FakeBroker.StartAsync();
        _connection = new QueueConnection(_broker.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _cancel.CancelAsync();
        _cancel.Dispose();
        await _connection.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task An_offset_inside_a_batch_begins_with_the_whole_batch_and_what_to_skip()
    {
        Begin(new FetchFrom.Offset(105, Old));
        var next = NextAsync<Fetched.Started>();
        var stream = await _broker.NextFetchAsync();
        var start = (await stream.ReadAsync()).Start;
        Assert.Equal(("telemetry", 3, 105L, "collectors", 1_000L), (start.Topic, start.Partition, start.Offset, start.Group, start.CreditBytes));
        Assert.Equal(LogIdentities.ToLogId(Old), start.ExpectedLog);
        await stream.SendAsync(Started(Old, 100));
        Assert.Equal(new Fetched.Started(Old, 105, 0), await next);
        await stream.SendAsync(Batch(100, 10, highWatermark: 500));
        var batch = await NextAsync<Fetched.Batch>();
        Assert.Equal((Old, 100L, 10, 5, 110L, 500L), (batch.Log, batch.BaseOffset, batch.RecordCount, batch.Skip, batch.NextOffset, batch.HighWatermark));
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1_752_900_000_000), batch.AppendTime);
        Assert.Equal(64, batch.Payload.Length);
        await stream.SendAsync(Batch(110, 1));
        Assert.Equal(0, (await NextAsync<Fetched.Batch>()).Skip);
    }

    [Fact]
    public async Task The_other_places_to_begin_are_asked_for_as_such()
    {
        foreach (var (from, kind) in new (FetchFrom, FetchStart.FromOneofCase)[]
        {
            (new FetchFrom.Earliest(), FetchStart.FromOneofCase.Earliest),
            (new FetchFrom.Latest(), FetchStart.FromOneofCase.Latest),
            (new FetchFrom.AppendTime(DateTimeOffset.FromUnixTimeMilliseconds(77)), FetchStart.FromOneofCase.AppendTimeUnixMs),
            (new FetchFrom.Offset(0, null), FetchStart.FromOneofCase.Offset),
        })
        {
            Begin(from);
            var next = NextAsync<Fetched.Started>();
            var stream = await _broker.NextFetchAsync();
            var start = (await stream.ReadAsync()).Start;
            Assert.Equal(kind, start.FromCase);
            Assert.Null(start.ExpectedLog);
            await stream.SendAsync(Started(Old, 42));
            Assert.Equal(Old, (await next).Log);
        }
    }

    [Fact]
    public async Task Credit_is_given_back_for_batches_that_were_taken_and_for_no_others()
    {
        Begin(new FetchFrom.Earliest(), credit: 1_000);
        var next = NextAsync<Fetched.Started>();
        var stream = await _broker.NextFetchAsync();
        Assert.Equal(1_000, (await stream.ReadAsync()).Start.CreditBytes);
        await stream.SendAsync(Started(Old, 0));
        await next;
        for (var i = 0; i < 6; i++)
            await stream.SendAsync(Batch(i, 1, bytes: 200)); // more than the credit: the client must not pay for it before it is taken
        var credit = stream.ReadAsync();
        await NextAsync<Fetched.Batch>();
        await NextAsync<Fetched.Batch>(); // the first is done with: 200, too little for a message of its own
        Assert.False(credit.IsCompleted);
        await NextAsync<Fetched.Batch>(); // two are done with
        Assert.Equal(400, (await Wait.For(credit)).CreditBytes);
        credit = stream.ReadAsync();
        await NextAsync<Fetched.Batch>();
        Assert.False(credit.IsCompleted);
        await NextAsync<Fetched.Batch>();
        Assert.Equal(400, (await Wait.For(credit)).CreditBytes);
    }

    [Fact]
    public async Task F25_a_broken_stream_goes_on_after_the_last_batch_in_the_same_log()
    {
        Begin(new FetchFrom.Earliest());
        var next = NextAsync<Fetched.Started>();
        var stream = await _broker.NextFetchAsync();
        await stream.ReadAsync();
        await stream.SendAsync(Started(Old, 0));
        await next;
        await stream.SendAsync(Batch(0, 10));
        await stream.SendAsync(Batch(10, 5));
        await NextAsync<Fetched.Batch>();
        await NextAsync<Fetched.Batch>();
        stream.Break();
        var batch = NextAsync<Fetched.Batch>(); // no second start: nothing has changed for the caller
        stream = await _broker.NextFetchAsync();
        var start = (await stream.ReadAsync()).Start;
        Assert.Equal((15L, LogIdentities.ToLogId(Old)), (start.Offset, start.ExpectedLog));
        await stream.SendAsync(Started(Old, 15));
        await stream.SendAsync(Batch(10, 5)); // the caller has had it
        await stream.SendAsync(Batch(12, 8));
        Assert.Equal((12L, 3, 20L), ((await batch).BaseOffset, (await batch).Skip, (await batch).NextOffset));
        Assert.Equal([5000, 5001], _logger.Lines.Select(line => line.Event));
    }

    [Fact]
    public async Task F20_another_log_is_told_with_its_start_and_a_gap()
    {
        Begin(new FetchFrom.Offset(700, Old));
        var next = NextAsync<Fetched.Started>();
        var stream = await _broker.NextFetchAsync();
        await stream.ReadAsync();
        await stream.SendAsync(Started(New, 0));
        await stream.SendAsync(Gap(700, 0, GapReason.GapLogReplaced));
        await stream.SendAsync(Batch(0, 3));
        Assert.Equal(new Fetched.Started(New, 0, 0), await next);
        Assert.Equal(new Fetched.Gap(New, 700, 0, "log replaced"), await NextAsync<Fetched.Gap>());
        var batch = await NextAsync<Fetched.Batch>();
        Assert.Equal((New, 0L, 0), (batch.Log, batch.BaseOffset, batch.Skip));

        // And again while it is reading.
        stream.Break();
        next = NextAsync<Fetched.Started>();
        stream = await _broker.NextFetchAsync();
        Assert.Equal((3L, LogIdentities.ToLogId(New)), ((await stream.ReadAsync()).Start is var start ? (start.Offset, start.ExpectedLog) : default));
        await stream.SendAsync(Started(Old, 50));
        await stream.SendAsync(Batch(50, 1));
        Assert.Equal(Old, (await next).Log);
        Assert.Equal((50L, 0), (await NextAsync<Fetched.Batch>()) is var other ? (other.BaseOffset, other.Skip) : default);
    }

    [Fact]
    public async Task F19_records_that_expired_are_told_as_a_gap()
    {
        Begin(new FetchFrom.Offset(5, Old));
        var next = NextAsync<Fetched.Started>();
        var stream = await _broker.NextFetchAsync();
        await stream.ReadAsync();
        await stream.SendAsync(Started(Old, 20, logStart: 20));
        await stream.SendAsync(Gap(5, 20, GapReason.GapExpired));
        await stream.SendAsync(Batch(20, 2));
        Assert.Equal(20, (await next).LogStartOffset);
        Assert.Equal(new Fetched.Gap(Old, 5, 20, "expired"), await NextAsync<Fetched.Gap>());
        Assert.Equal(20, (await NextAsync<Fetched.Batch>()).BaseOffset);
    }

    [Fact]
    public async Task Records_that_are_passed_over_without_a_word_are_told_as_a_gap_too()
    {
        Begin(new FetchFrom.Earliest());
        var next = NextAsync<Fetched.Started>();
        var stream = await _broker.NextFetchAsync();
        await stream.ReadAsync();
        await stream.SendAsync(Started(Old, 0));
        await stream.SendAsync(Batch(0, 2));
        await stream.SendAsync(Batch(5, 2));
        await next;
        await NextAsync<Fetched.Batch>();
        Assert.Equal(new Fetched.Gap(Old, 2, 5, "unknown"), await NextAsync<Fetched.Gap>());
        Assert.Equal((5L, 0), await NextAsync<Fetched.Batch>() is var batch ? (batch.BaseOffset, batch.Skip) : default);
    }

    [Fact]
    public async Task A_topic_that_is_not_there_yet_is_awaited()
    {
        Begin(new FetchFrom.Earliest());
        var next = NextAsync<Fetched.Started>();
        (await _broker.NextFetchAsync()).Fail(FakeBroker.Status(StatusCode.NotFound, ErrorCode.UnknownTopic));
        var stream = await _broker.NextFetchAsync();
        await stream.SendAsync(Started(Old, 0));
        Assert.Equal(Old, (await next).Log);
    }

    [Theory]
    [InlineData(StatusCode.OutOfRange, ErrorCode.OffsetOutOfRange)]
    [InlineData(StatusCode.NotFound, ErrorCode.UnknownPartition)]
    public async Task What_the_queue_refuses_for_good_is_an_error(StatusCode status, ErrorCode code)
    {
        Begin(new FetchFrom.Offset(1_000_000, Old));
        var next = NextAsync<Fetched.Started>();
        (await _broker.NextFetchAsync()).Fail(FakeBroker.Status(status, code));
        Assert.Equal(code, (await Assert.ThrowsAsync<QueueException>(() => next)).Code);
    }

    [Fact]
    public async Task Cancelling_ends_the_wait_for_records_and_the_wait_for_the_broker()
    {
        Begin(new FetchFrom.Earliest());
        var next = NextAsync<Fetched.Started>();
        var stream = await _broker.NextFetchAsync();
        await stream.SendAsync(Started(Old, 0));
        await next;
        var waiting = NextAsync<Fetched.Batch>();
        await _cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Wait.For(stream.ClientGone);

        await _broker.StopAsync();
        using var cancel = new CancellationTokenSource();
        await using var fetch = PartitionFetcher.FetchAsync(_connection, "t", 0, new FetchFrom.Earliest(), "", 1, cancel.Token).GetAsyncEnumerator(cancel.Token);
        var connecting = fetch.MoveNextAsync().AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Wait.For(connecting));
    }

    private void Begin(FetchFrom from, int credit = 1_000) => _fetch = PartitionFetcher.FetchAsync(
        _connection, "telemetry", 3, from, new FetchOptions { Group = "collectors", CreditBytes = credit, Logger = _logger }, _cancel.Token).GetAsyncEnumerator(_cancel.Token);

    private async Task<T> NextAsync<T>()
        where T : Fetched
    {
        Assert.True(await Wait.For(_fetch!.MoveNextAsync().AsTask()));
        return Assert.IsType<T>(_fetch.Current);
    }

    private static FetchResponse Started(LogIdentity log, long offset, long logStart = 0) =>
        new() { Started = new FetchStarted { Log = LogIdentities.ToLogId(log), Offset = offset, LogStartOffset = logStart } };

    private static FetchResponse Batch(long baseOffset, int count, int bytes = 64, long highWatermark = 0) => new()
    {
        Batch = new FetchedBatch { BaseOffset = baseOffset, RecordCount = count, AppendTimeUnixMs = 1_752_900_000_000, Batch = ByteString.CopyFrom(new byte[bytes]) },
        HighWatermark = highWatermark,
    };

    private static FetchResponse Gap(long from, long to, GapReason reason) => new() { Gap = new Gap { FromOffset = from, ToOffset = to, Reason = reason } };
}
