using Telemetry.Messaging.Client;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Messaging;

public sealed class QueueProducerTests : IAsyncLifetime
{
    private FakeBroker _broker = null!;
    private QueueConnection _connection = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await FakeBroker.StartAsync();
        _connection = new QueueConnection(_broker.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task Publishes_are_pipelined_up_to_the_limit_and_a_further_one_waits()
    {
        var all = new TaskCompletionSource();
        var arrived = 0;
        var release = new TaskCompletionSource();
        _broker.OnPublish = _ =>
        {
            if (++arrived == 4)
                all.SetResult();
            return null;
        };
        _broker.BeforeAnswer = (_, _) => release.Task;
        await using var producer = await OpenAsync(new() { Topic = "t", ProducerId = "p", InFlightMax = 4 });
        var sent = new List<Task<PublishResult>>();
        for (var i = 0; i < 4; i++)
            sent.Add(await SendAsync(producer, i % 4, count: 3));
        var fifth = producer.SendAsync(0, Batch(3), 3, default, Wait.Token);
        await Wait.For(all.Task); // four requests without an answer
        Assert.False(fifth.IsCompleted);
        Assert.All(sent, task => Assert.False(task.IsCompleted));
        release.SetResult();
        await Wait.For(Task.WhenAll(sent));
        Assert.Equal(3, (await Wait.For(await fifth)).BaseOffset);
    }

    [Fact]
    public async Task Batches_of_a_partition_are_appended_in_the_order_of_the_calls()
    {
        await using var producer = await OpenAsync(new() { Topic = "t", ProducerId = "p", InFlightMax = 3 });
        var calls = Enumerable.Range(0, 100).Select(i => producer.SendAsync(i % 2, Batch(1 + (i % 3), first: i), 1 + (i % 3), default, Wait.Token).AsTask()).ToList();
        await Wait.For(Task.WhenAll(await Wait.For(Task.WhenAll(calls))));
        for (var partition = 0; partition < 2; partition++)
        {
            var batches = _broker.Log.Batches(partition);
            Assert.Equal(Enumerable.Range(0, 50).Select(i => (2 * i) + partition), batches.Select(First));
            Assert.Equal(0, batches[0].BaseSequence);
            Assert.All(batches.Zip(batches.Skip(1)), pair => Assert.Equal(pair.First.BaseSequence + pair.First.RecordCount, pair.Second.BaseSequence));
        }
    }

    [Fact]
    public async Task Publishes_that_are_ready_go_together_in_messages_of_64_KiB()
    {
        await using var producer = await OpenAsync(new() { Topic = "t", ProducerId = "p", InFlightMax = 1000 });
        await Wait.For(await SendAsync(producer, 0, count: 1));
        await _broker.StopAsync();
        var before = _broker.Messages.Count;
        var sent = new List<Task<PublishResult>>();
        for (var i = 0; i < 1000; i++)
            sent.Add(await producer.SendAsync(i % 4, new byte[936], 1, default, Wait.Token));
        await _broker.StartAgainAsync();
        await Wait.For(Task.WhenAll(sent));
        var messages = _broker.Messages.Skip(before).Select(message => message.Publishes.Count).ToList();
        Assert.Equal([.. Enumerable.Repeat(66, 15), 10], messages);
    }

    [Fact]
    public async Task F10_a_publish_whose_answer_was_lost_is_sent_again_and_appended_once()
    {
        var lost = 0;
        _broker.BeforeAnswer = (_, _) => Interlocked.Exchange(ref lost, 1) == 0 ? throw new ConnectionLost() : Task.CompletedTask;
        await using var producer = await OpenAsync();
        var first = await SendAsync(producer, 1, count: 5);
        var second = await SendAsync(producer, 1, count: 5);
        Assert.Equal(new PublishResult(0, Duplicate: true), await Wait.For(first));
        Assert.Equal(5, (await Wait.For(second)).BaseOffset);
        Assert.Equal([0, 5], _broker.Log.Batches(1).Select(batch => batch.BaseSequence));
        Assert.Equal(2, _broker.PublishStreams);
        Assert.Equal(1, _broker.Opened);
    }

    [Theory]
    [InlineData(ErrorCode.PartitionFull)]
    [InlineData(ErrorCode.StorageFailed)]
    [InlineData(ErrorCode.ShuttingDown)]
    public async Task A_refusal_makes_what_was_sent_behind_it_wait_and_all_is_sent_again_in_order(ErrorCode refusal)
    {
        var everything = new TaskCompletionSource();
        var refused = 0;
        var arrived = 0;
        _broker.OnPublish = request =>
        {
            if (Interlocked.Increment(ref arrived) == 8)
                everything.SetResult();
            return request is { Partition: 0, BaseSequence: 2 } && Interlocked.Increment(ref refused) <= 2 ? FakeBroker.Refuse(refusal, retryAfterMs: 5) : null;
        };
        _broker.BeforeAnswer = (_, _) => everything.Task; // so that all eight are under way when the refusal comes
        await using var producer = await OpenAsync();
        var sent = new List<Task<PublishResult>>();
        for (var i = 0; i < 8; i++)
            sent.Add(await SendAsync(producer, i % 2, count: 2, first: i));
        var results = await Wait.For(Task.WhenAll(sent));
        Assert.Equal([0, 2, 4, 6], _broker.Log.Batches(0).Select(batch => batch.BaseSequence));
        Assert.Equal([0, 2, 4, 6], _broker.Log.Batches(0).Select(First));
        Assert.Equal([0L, 0, 2, 2, 4, 4, 6, 6], results.Select(result => result.BaseOffset));
        Assert.Equal(3, _broker.Published.Count(request => request is { Partition: 0, BaseSequence: 2 }));
        Assert.Equal(4, _broker.Published.Count(request => request.Partition == 1)); // the other partition did not suffer
    }

    [Fact]
    public async Task A_publish_that_fails_for_good_fails_alone()
    {
        _broker.OnPublish = request => First(request) == 1 ? FakeBroker.Refuse(ErrorCode.InvalidRequest) : null;
        await using var producer = await OpenAsync();
        var sent = new List<Task<PublishResult>>();
        for (var i = 0; i < 5; i++)
            sent.Add(await SendAsync(producer, 0, count: 3, first: i));
        Assert.Equal(ErrorCode.InvalidRequest, (await Assert.ThrowsAsync<QueueException>(() => Wait.For(sent[1]))).Code);
        sent.RemoveAt(1);
        Assert.Equal([0L, 3, 6, 9], (await Wait.For(Task.WhenAll(sent))).Select(result => result.BaseOffset));
        Assert.Equal([0, 2, 3, 4], _broker.Log.Batches(0).Select(First));
        // The flush tells it once to a caller that did not look.
        Assert.Equal(ErrorCode.InvalidRequest, (await Assert.ThrowsAsync<QueueException>(() => producer.FlushAsync(Wait.Token))).Code);
        await producer.FlushAsync(Wait.Token);
    }

    [Fact]
    public async Task F11_a_fenced_producer_ends_with_everything_that_is_pending()
    {
        await using var older = await OpenAsync(new() { Topic = "t", ProducerId = "p", InFlightMax = 2 });
        await Wait.For(await SendAsync(older, 0, count: 1));
        await using var newer = await OpenAsync();
        Assert.Equal(1, newer.Opened[0].NextSequence);
        var gate = new TaskCompletionSource();
        _broker.BeforeAnswer = (_, _) => gate.Task;
        var pending = await SendAsync(older, 0, count: 1);
        var other = await SendAsync(older, 1, count: 1);
        var waiting = producer(older);
        gate.SetResult();
        Assert.Equal(ErrorCode.ProducerFenced, (await Assert.ThrowsAsync<QueueException>(() => Wait.For(pending))).Code);
        Assert.Equal(ErrorCode.ProducerFenced, (await Assert.ThrowsAsync<QueueException>(() => Wait.For(other))).Code);
        Assert.Equal(ErrorCode.ProducerFenced, (await Assert.ThrowsAsync<QueueException>(() => Wait.For(waiting))).Code);
        Assert.Equal(ErrorCode.ProducerFenced, (await Assert.ThrowsAsync<QueueException>(() => SendAsync(older, 0, count: 1))).Code);
        Assert.Equal(ErrorCode.ProducerFenced, (await Assert.ThrowsAsync<QueueException>(() => older.FlushAsync(Wait.Token))).Code);
        Assert.Equal(1, (await Wait.For(await SendAsync(newer, 0, count: 1))).BaseOffset);

        static Task<Task<PublishResult>> producer(QueueProducer older) => older.SendAsync(2, Batch(1), 1, default, Wait.Token).AsTask();
    }

    [Fact]
    public async Task F21_a_new_log_gets_what_was_not_acknowledged_from_sequence_0()
    {
        await using var producer = await OpenAsync();
        await Wait.For(await SendAsync(producer, 0, count: 4, first: 100));
        _broker.LoseLog();
        var sent = new List<Task<PublishResult>>();
        for (var i = 0; i < 6; i++)
            sent.Add(await SendAsync(producer, i % 2, count: 2, first: i));
        var results = await Wait.For(Task.WhenAll(sent));
        Assert.Equal([0L, 0, 2, 2, 4, 4], results.Select(result => result.BaseOffset));
        Assert.Equal([0, 2, 4], _broker.Log.Batches(0).Select(First));
        Assert.Equal([1, 3, 5], _broker.Log.Batches(1).Select(First));
        Assert.All(_broker.Log.Batches(0), batch => Assert.Equal(1, batch.ProducerEpoch));
        Assert.Equal(2, _broker.Opened);
    }

    [Fact]
    public async Task F12_a_sequence_that_the_log_refuses_even_after_opening_again_is_an_error()
    {
        await using var producer = await OpenAsync();
        _broker.OnPublish = _ => FakeBroker.Refuse(ErrorCode.OutOfOrderSequence);
        var sent = await SendAsync(producer, 0, count: 1);
        Assert.Equal(ErrorCode.OutOfOrderSequence, (await Assert.ThrowsAsync<QueueException>(() => Wait.For(sent))).Code);
        Assert.Equal(2, _broker.Opened);
    }

    [Fact]
    public async Task A_log_that_lost_what_it_acknowledged_ends_the_producer()
    {
        await using var producer = await OpenAsync();
        await Wait.For(await SendAsync(producer, 0, count: 10));
        _broker.OnPublish = _ => FakeBroker.Refuse(ErrorCode.UnknownProducer);
        _broker.OnOpen = request =>
        {
            var opened = _broker.Log.Open(request.ProducerId);
            opened.Partitions[0].NextSequence = 5; // the same log, and less in it
            return opened;
        };
        var error = await Assert.ThrowsAsync<QueueException>(async () => await Wait.For(await SendAsync(producer, 0, count: 1)));
        Assert.Equal(ErrorCode.OutOfOrderSequence, error.Code);
        Assert.Contains("5 records of this producer, but 10 were acknowledged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restarted_producer_gets_its_state_back()
    {
        await using (var producer = await OpenAsync())
        {
            await Wait.For(await producer.SendAsync(2, Batch(3), 3, "line 3"u8.ToArray(), Wait.Token));
            await Wait.For(await SendAsync(producer, 2, count: 4));
        }
        await using var again = await OpenAsync();
        Assert.Equal(4, again.Opened.Count);
        Assert.Equal(7, again.Opened[2].NextSequence);
        Assert.Equal("line 3"u8, again.Opened[2].SourcePosition.Span);
        Assert.Equal(4, again.Opened[2].RecordsAfterPosition);
        Assert.Equal(0, again.Opened[1].NextSequence);
        Assert.True(again.Opened[1].SourcePosition.IsEmpty);
        Assert.Equal(7, (await Wait.For(await SendAsync(again, 2, count: 1))).BaseOffset);
    }

    [Fact]
    public async Task Giving_up_the_wait_for_room_leaves_the_place_to_others()
    {
        var release = new TaskCompletionSource();
        _broker.BeforeAnswer = (_, _) => release.Task;
        await using var producer = await OpenAsync(new() { Topic = "t", ProducerId = "p", InFlightMax = 1 });
        var first = await SendAsync(producer, 0, count: 1, first: 1);
        using var cancel = new CancellationTokenSource();
        var given = producer.SendAsync(0, Batch(1, first: 2), 1, default, cancel.Token).AsTask();
        var third = producer.SendAsync(0, Batch(1, first: 3), 1, default, Wait.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Wait.For(given));
        release.SetResult();
        await Wait.For(first);
        await Wait.For(await Wait.For(third));
        Assert.Equal([1, 3], _broker.Log.Batches(0).Select(First));
    }

    [Fact]
    public async Task Disposing_ends_at_once_what_is_under_way()
    {
        var producer = await OpenAsync();
        _broker.BeforeAnswer = (_, _) => Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
        var sent = await SendAsync(producer, 0, count: 1);
        await Wait.For(producer.DisposeAsync().AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Wait.For(sent));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => SendAsync(producer, 0, count: 1));
    }

    private Task<QueueProducer> OpenAsync(ProducerOptions? options = null) =>
        Wait.For(QueueProducer.OpenAsync(_connection, options ?? new() { Topic = "t", ProducerId = "p" }, Wait.Token));

    internal static async Task<Task<PublishResult>> SendAsync(QueueProducer producer, int partition, int count, int first = 0) =>
        await producer.SendAsync(partition, Batch(count, first), count, default, Wait.Token);

    /// <summary>A batch whose records are numbered by their time.</summary>
    internal static ReadOnlyMemory<byte> Batch(int count, int first = 0) => RecordBatchTests.Encode(
        Enumerable.Range(0, count).Select(i => new GpuSample(first + i, new GpuIdentity("host", "0"), [new("gpu_utilization", i)])));

    /// <summary>The number of the first record.</summary>
    internal static int First(PublishRequest request) => (int)RecordBatch.Decode(request.Batch.Span).Times.Span[0];
}
