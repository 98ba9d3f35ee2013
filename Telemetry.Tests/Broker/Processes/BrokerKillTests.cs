using System.Buffers.Binary;
using Telemetry.Messaging.Client;
using Telemetry.Tests.Distributed;
using Telemetry.Tests.Messaging;

namespace Telemetry.Tests.Broker.Processes;

/// <summary>A broker process that is killed (-9) while producers publish, with its log on a real disk.</summary>
[Collection(nameof(Distributed))]
public sealed class BrokerKillTests
{
    private const int Partitions = 2;

    /// <param name="fsync">With an hour nothing is ever synced while it runs: what was written is the system's, not the process's.</param>
    /// <param name="rounds">How often it is killed.</param>
    [Theory]
    [InlineData("always", 4)]
    [InlineData("1h", 3)]
    public async Task F01_F10_What_was_acknowledged_is_there_after_every_kill_in_its_order_and_once(string fsync, int rounds)
    {
        var chance = new Chance(rounds);
        await using var run = new ProcessRun(csvRows: 0, "--max-partitions", $"{Partitions}", "--max-messages-per-partition", "100000000", "--fsync", fsync);
        var broker = await run.BrokerAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(run.Cancellation);
        var gate = new Gate();
        var publishers = Enumerable.Range(0, 4).Select(number => new Publisher(number, gate)).ToList();
        var publishing = Task.WhenAll(publishers.Select(publisher => publisher.RunAsync(run.Connection, new Random(chance.Random.Next()), stop.Token, run.Cancellation)));
        for (var round = 0; round < chance.Rounds; round++)
        {
            var target = publishers.Sum(publisher => publisher.Acknowledged) + chance.Random.Next(1, 20_000);
            await run.UntilAsync($"{target} acknowledged records", () => Task.FromResult(publishing.IsCompleted || publishers.Sum(publisher => publisher.Acknowledged) >= target));
            Assert.False(publishing.IsCompleted, publishing.Exception?.ToString());
            await run.KillAsync(broker);
            // What was under way is sent again; nothing is added meanwhile, or a slow reader would have more and more to read.
            gate.Close();
            broker = await run.BrokerAsync();
            await AssertTrueToAsync(publishers, run.Connection).WaitAsync(run.Cancellation);
            gate.Open();
        }
        await stop.CancelAsync();
        await publishing;
        var records = await AssertTrueToAsync(publishers, run.Connection).WaitAsync(run.Cancellation);
        var acknowledged = publishers.Sum(publisher => publisher.Acknowledged);
        Assert.True(acknowledged == records, $"{records} records are in the log, {acknowledged} were acknowledged");
    }

    [Fact]
    public async Task A_second_broker_on_the_same_folder_says_so_in_a_line_and_ends_with_1()
    {
        await using var run = new ProcessRun(csvRows: 0);
        await run.BrokerAsync();
        var second = run.Services.StartBroker();
        Assert.Equal(1, await second.WaitForExitAsync(run.Cancellation));
        Assert.StartsWith($"broker: DATA_PATH: the folder '{run.LogFolder}' is used by another broker", Assert.Single(second.Lines), StringComparison.Ordinal);
    }

    /// <summary>Each publisher's records are in the log from its first on, once and in order, and at least as many as it knows to be.</summary>
    /// <returns>The records in the log.</returns>
    private static async Task<long> AssertTrueToAsync(IReadOnlyList<Publisher> publishers, QueueConnection connection)
    {
        var acknowledged = publishers.Select(publisher => publisher.AcknowledgedOf).ToList();
        var next = new long[publishers.Count, Partitions];
        foreach (var (partition, batch) in await QueueLog.ReadAsync(connection, "telemetry"))
        {
            var (publisher, first) = Publisher.Read(batch.Batch.Span);
            Assert.True(next[publisher, partition] == first, $"publisher {publisher}, partition {partition}: record {first} stands where {next[publisher, partition]} was due");
            next[publisher, partition] += batch.RecordCount;
        }
        for (var publisher = 0; publisher < publishers.Count; publisher++)
        {
            for (var partition = 0; partition < Partitions; partition++)
                Assert.True(next[publisher, partition] >= acknowledged[publisher][partition], $"publisher {publisher}, partition {partition}: {next[publisher, partition]} records, but {acknowledged[publisher][partition]} were acknowledged");
        }
        return next.Cast<long>().Sum();
    }

    /// <summary>Holds the publishers while it is closed.</summary>
    private sealed class Gate
    {
        private TaskCompletionSource _opened = Opening();

        public Gate() => Open();

        public Task Opened => Volatile.Read(ref _opened).Task;

        public void Open() => _opened.TrySetResult();

        public void Close() => Volatile.Write(ref _opened, Opening());

        private static TaskCompletionSource Opening() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Publishes batches that say whose they are and the number of their first record.</summary>
    private sealed class Publisher(int number, Gate gate)
    {
        private readonly long[] _acknowledged = new long[Partitions];

        /// <summary>Records that are acknowledged.</summary>
        public long Acknowledged => AcknowledgedOf.Sum();

        /// <summary>The same in each partition.</summary>
        public long[] AcknowledgedOf => [.. Enumerable.Range(0, Partitions).Select(partition => Interlocked.Read(ref _acknowledged[partition]))];

        public static (int Publisher, long First) Read(ReadOnlySpan<byte> batch) => (BinaryPrimitives.ReadInt32LittleEndian(batch), BinaryPrimitives.ReadInt64LittleEndian(batch[4..]));

        /// <summary>Publishes until told to stop; then all of it is acknowledged.</summary>
        public async Task RunAsync(QueueConnection connection, Random random, CancellationToken stop, CancellationToken limit)
        {
            await using var producer = await QueueProducer.OpenAsync(connection, new ProducerOptions { Topic = "telemetry", ProducerId = $"publisher-{number}" }, limit);
            var sent = new long[Partitions];
            var underWay = new Queue<Task>();
            while (!stop.IsCancellationRequested)
            {
                await gate.Opened.WaitAsync(limit);
                var (partition, count) = (random.Next(Partitions), random.Next(1, 50));
                var batch = new byte[12 + (count * 40)];
                BinaryPrimitives.WriteInt32LittleEndian(batch, number);
                BinaryPrimitives.WriteInt64LittleEndian(batch.AsSpan(4), sent[partition]);
                sent[partition] += count;
                underWay.Enqueue(NoteAsync(await producer.SendAsync(partition, batch, count, default, limit), partition, sent[partition]));
                while (underWay.TryPeek(out var first) && first.IsCompleted)
                    await underWay.Dequeue();
            }
            await Task.WhenAll(underWay).WaitAsync(limit);
        }

        private async Task NoteAsync(Task<PublishResult> acknowledgement, int partition, long records)
        {
            await acknowledgement;
            // Many acknowledgements come at once, on as many threads: the largest of them stays.
            for (var known = Interlocked.Read(ref _acknowledged[partition]); known < records;)
            {
                var before = Interlocked.CompareExchange(ref _acknowledged[partition], records, known);
                if (before == known)
                    return;
                known = before;
            }
        }
    }
}
