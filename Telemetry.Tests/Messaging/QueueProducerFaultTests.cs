using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;
using static Telemetry.Tests.Messaging.QueueProducerTests;

namespace Telemetry.Tests.Messaging;

/// <summary>Full partitions, batches that are too large, and connections that break.</summary>
public sealed class QueueProducerFaultTests : IAsyncLifetime
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
    public async Task A_full_partition_is_tried_again_when_the_broker_says_and_not_before()
    {
        var time = new FakeTimeProvider();
        var (retries, waits) = (0L, 0L);
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Telemetry.Messaging")
                listener.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
            Interlocked.Add(ref instrument.Name.Contains("full_waits", StringComparison.Ordinal) ? ref waits : ref retries, value));
        meters.Start();
        var full = true;
        _broker.OnPublish = request => request.Partition == 0 && full ? FakeBroker.Refuse(ErrorCode.PartitionFull, retryAfterMs: 30_000) : null;
        await using var producer = await OpenAsync(new() { Topic = "t", ProducerId = "p", Time = time, FullWait = TimeSpan.FromMilliseconds(1_500) });
        var sent = await SendAsync(producer, 0, count: 1);
        await Wait.For(await SendAsync(producer, 1, count: 1)); // answers come in order: the refusal is known
        Assert.Equal(1_500, _broker.Published.First().WaitMs);
        full = false;
        time.Advance(TimeSpan.FromSeconds(29.9));
        await Wait.For(await SendAsync(producer, 1, count: 1));
        Assert.Single(_broker.Published, request => request.Partition == 0);
        Assert.False(sent.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(0, (await Wait.For(sent)).BaseOffset);
        Assert.True(Interlocked.Read(ref waits) >= 1); // other tests count into the same instruments
        Assert.True(Interlocked.Read(ref retries) >= 1);
    }

    [Fact]
    public async Task F35_a_batch_over_the_limits_is_split_and_its_caller_sees_one_result()
    {
        _broker.Log.BatchRecordsMax = 30;
        await using var producer = await OpenAsync();
        var before = await SendAsync(producer, 0, count: 5, first: 1_000);
        var sent = await producer.SendAsync(0, Batch(100), 100, "position"u8.ToArray(), Wait.Token);
        var after = await SendAsync(producer, 0, count: 5, first: 2_000);
        Assert.Equal(new PublishResult(5, false), await Wait.For(sent));
        Assert.Equal(105, (await Wait.For(after)).BaseOffset);
        await Wait.For(before);
        var batches = _broker.Log.Batches(0);
        Assert.Equal([1_000, 0, 25, 50, 75, 2_000], batches.Select(First));
        Assert.Equal([25, 25, 25, 25], batches.Skip(1).Take(4).Select(batch => batch.RecordCount));
        Assert.Equal(["", "", "", "position"], batches.Skip(1).Take(4).Select(batch => batch.SourcePosition.ToStringUtf8()));
    }

    [Fact]
    public async Task F35_a_batch_that_the_broker_finds_too_large_is_split_with_others_under_way()
    {
        await using var producer = await OpenAsync();
        var whole = Batch(64);
        _broker.Log.BatchBytesMax = Batch(16).Length; // less than the producer was told when it opened
        var sent = new List<Task<PublishResult>> { await producer.SendAsync(0, whole, 64, "position"u8.ToArray(), Wait.Token) };
        for (var i = 0; i < 4; i++)
            sent.Add(await SendAsync(producer, 0, count: 10, first: 1_000 + i));
        var results = await Wait.For(Task.WhenAll(sent));
        Assert.Equal([0L, 64, 74, 84, 94], results.Select(result => result.BaseOffset));
        var batches = _broker.Log.Batches(0);
        Assert.Equal(Enumerable.Range(0, 64), batches.Where(batch => First(batch) < 1_000).SelectMany(batch => RecordBatch.Decode(batch.Batch.Span).Times.ToArray()).Select(time => (int)time));
        Assert.Equal([1_000, 1_001, 1_002, 1_003], batches.Select(First).Where(first => first >= 1_000));
        Assert.Single(batches, batch => !batch.SourcePosition.IsEmpty);
    }

    [Fact]
    public async Task F35_a_single_record_over_the_limit_is_an_error_and_others_go_on()
    {
        await using var producer = await OpenAsync();
        _broker.OnPublish = request => First(request) == 7 ? FakeBroker.Refuse(ErrorCode.BatchTooLarge) : null;
        var bad = await SendAsync(producer, 0, count: 2, first: 7); // the piece with record 8 goes with it: its caller was told that it failed
        var good = await SendAsync(producer, 0, count: 1, first: 9);
        var error = await Assert.ThrowsAsync<QueueException>(() => Wait.For(bad));
        Assert.Equal(ErrorCode.BatchTooLarge, error.Code);
        Assert.Contains("one record cannot be split", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await Wait.For(good)).BaseOffset);
        Assert.Equal([9], _broker.Log.Batches(0).Select(First));
    }

    [Fact]
    public async Task F35_a_batch_that_is_too_large_and_cannot_be_decoded_is_refused_before_it_is_sent()
    {
        _broker.Log.BatchBytesMax = 100;
        await using var producer = await OpenAsync();
        var error = await Assert.ThrowsAsync<QueueException>(async () => await producer.SendAsync(0, new byte[101], 2, default, Wait.Token));
        Assert.Equal(ErrorCode.BatchTooLarge, error.Code);
        Assert.Empty(_broker.Published);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task F25_connections_that_break_at_random_lose_and_repeat_nothing(int seed)
    {
        // Breaks, refusals and (once) a new log, at places that the seed decides.
        var random = new Random(seed);
        _broker.BeforeAnswer = (_, _) =>
        {
            lock (random)
                return random.Next(40) == 0 ? throw new ConnectionLost() : Task.CompletedTask;
        };
        _broker.OnPublish = _ =>
        {
            lock (random)
                return random.Next(25) == 0 ? FakeBroker.Refuse(ErrorCode.PartitionFull, retryAfterMs: 1) : null;
        };
        await using var producer = await OpenAsync(new() { Topic = "t", ProducerId = "p", InFlightMax = 8 });
        var sent = new List<(int Partition, int First, Task<PublishResult> Result)>();
        for (var i = 0; i < 300; i++)
        {
            int partition, count;
            lock (random)
                (partition, count) = (random.Next(4), random.Next(1, 5));
            sent.Add((partition, i * 10, await SendAsync(producer, partition, count, first: i * 10)));
        }
        await producer.FlushAsync(Wait.Token);
        for (var partition = 0; partition < 4; partition++)
        {
            Assert.Equal(sent.Where(publish => publish.Partition == partition).Select(publish => publish.First), _broker.Log.Batches(partition).Select(First));
            var next = 0L;
            foreach (var batch in _broker.Log.Batches(partition))
            {
                Assert.Equal(next, batch.BaseSequence);
                next += batch.RecordCount;
            }
        }
        Assert.All(sent, publish => Assert.True(publish.Result.IsCompletedSuccessfully));
        Assert.True(_broker.PublishStreams > 1);
    }

    [Fact]
    public async Task F25_a_broker_that_is_away_is_awaited_and_told_of_once_when_it_goes_and_once_when_it_is_back()
    {
        var logger = new ListLogger();
        await using var producer = await OpenAsync(new() { Topic = "t", ProducerId = "p", Logger = logger });
        await Wait.For(await SendAsync(producer, 0, count: 1));
        await _broker.StopAsync();
        var sent = await SendAsync(producer, 0, count: 1);
        await _broker.StartAgainAsync();
        Assert.Equal(1, (await Wait.For(sent)).BaseOffset);
        Assert.Equal([(LogLevel.Warning, 5000), (LogLevel.Information, 5001)], logger.Lines.Select(line => (line.Level, line.Event)));
        Assert.StartsWith("producer p: the queue cannot be reached", logger.Lines.First().Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Opening_waits_for_a_broker_that_is_not_there_yet()
    {
        var logger = new ListLogger();
        await _broker.StopAsync();
        var opening = OpenAsync(new() { Topic = "t", ProducerId = "p", Logger = logger });
        await using var probe = new QueueConnection(_broker.Address);
        var refused = new TaskCompletionSource<string>();
        var waiting = probe.WaitUntilReachableAsync(reason => refused.TrySetResult(reason), Wait.Token);
        Assert.Contains("refused", await Wait.For(refused.Task), StringComparison.OrdinalIgnoreCase);
        await _broker.StartAgainAsync();
        await Wait.For(waiting);
        await using var producer = await opening;
        Assert.Equal(4, producer.Opened.Count);
        Assert.InRange(logger.Lines.Count, 0, 2);
    }

    [Fact]
    public async Task Opening_is_refused_for_good_with_the_brokers_words()
    {
        _broker.OnOpen = _ => throw FakeBroker.Status(Grpc.Core.StatusCode.InvalidArgument, ErrorCode.InvalidRequest);
        var error = await Assert.ThrowsAsync<QueueException>(() => OpenAsync());
        Assert.Equal((ErrorCode.InvalidRequest, "refused: InvalidRequest"), (error.Code, error.Message));
    }

    [Fact]
    public async Task Opening_can_be_cancelled_while_the_broker_is_away()
    {
        await _broker.StopAsync();
        using var cancel = new CancellationTokenSource();
        var opening = QueueProducer.OpenAsync(_connection, new() { Topic = "t", ProducerId = "p" }, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Wait.For(opening));
    }

    private Task<QueueProducer> OpenAsync(ProducerOptions? options = null) =>
        Wait.For(QueueProducer.OpenAsync(_connection, options ?? new() { Topic = "t", ProducerId = "p" }, Wait.Token));
}
