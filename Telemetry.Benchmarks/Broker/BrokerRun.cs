using System.Diagnostics;
using System.Globalization;
using Telemetry.Messaging.V1;

namespace Telemetry.Benchmarks.Broker;

/// <summary>Measures one case on a broker that runs: each scenario on a topic of its own, which is deleted afterwards.</summary>
/// <param name="broker">The broker.</param>
/// <param name="measured">What is compared.</param>
/// <param name="recordBytes">Bytes of a record.</param>
/// <param name="warmUp">How long the load of a scenario runs before it is measured.</param>
/// <param name="duration">How long it is measured.</param>
internal sealed class BrokerRun(MeasuredBroker broker, BrokerCase measured, int recordBytes, TimeSpan warmUp, TimeSpan duration)
{
    private readonly string _topic = "benchmark-" + Guid.NewGuid().ToString("N");

    /// <summary>As fast as the broker takes it.</summary>
    public Task<Measurement> PublishAsync(bool byClient, CancellationToken cancellationToken) => WithTopicAsync(async () =>
    {
        await using var load = await Load.OpenAsync(this, byClient, cancellationToken);
        return await load.MeasureAsync(byClient ? "publish, QueueProducer" : "publish", perSecond: null, reader: null, cancellationToken);
    }, cancellationToken);

    /// <summary>From the beginning of what was published before, by one consumer of all partitions.</summary>
    public Task<Measurement> FetchAsync(CancellationToken cancellationToken) => WithTopicAsync(async () =>
    {
        long records;
        await using (var load = await Load.OpenAsync(this, byClient: false, cancellationToken))
        {
            await load.MeasureAsync("", perSecond: null, reader: null, cancellationToken);
            records = load.Acknowledged;
        }
        await using var reader = new Reader(broker.Connect(), _topic);
        var before = await broker.UsageAsync(cancellationToken);
        var watch = Stopwatch.StartNew();
        await reader.RunAsync(records, cancellationToken);
        var elapsed = watch.Elapsed;
        return Measured("fetch", await broker.UsageAsync(cancellationToken) - before, elapsed, 0, reader.Records);
    }, cancellationToken);

    /// <summary>Publishing as fast as the broker takes it while one consumer fetches all of it.</summary>
    public Task<Measurement> BothAsync(CancellationToken cancellationToken) => WithTopicAsync(async () =>
    {
        await using var load = await Load.OpenAsync(this, byClient: false, cancellationToken);
        await using var reader = new Reader(broker.Connect(), _topic);
        return await load.MeasureAsync("both", perSecond: null, reader, cancellationToken);
    }, cancellationToken);

    /// <summary>How long publishes take at a given load, from when each was due.</summary>
    public Task<Measurement> LatencyAsync(double recordsPerSecond, CancellationToken cancellationToken) => WithTopicAsync(async () =>
    {
        await using var load = await Load.OpenAsync(this, byClient: false, cancellationToken);
        var line = await load.MeasureAsync("latency", recordsPerSecond / measured.Batch / measured.Producers, reader: null, cancellationToken);
        var latencies = load.Latencies;
        return line with
        {
            P50 = Percentiles.Of(latencies, 0.5),
            P99 = Percentiles.Of(latencies, 0.99),
            P999 = Percentiles.Of(latencies, 0.999),
            Max = latencies[^1],
        };
    }, cancellationToken);

    /// <summary>Publishes so many records.</summary>
    public async Task FillAsync(long records, CancellationToken cancellationToken)
    {
        await using var load = await Load.OpenAsync(this, byClient: false, cancellationToken);
        await load.FillAsync(records, cancellationToken);
    }

    private async Task<Measurement> WithTopicAsync(Func<Task<Measurement>> measure, CancellationToken cancellationToken)
    {
        var line = await measure();
        await using var connection = broker.Connect();
        await connection.Admin.DeleteTopicAsync(new DeleteTopicRequest { Topic = _topic }, cancellationToken: cancellationToken);
        return line;
    }

    private Measurement Measured(string scenario, Usage used, TimeSpan elapsed, long recordsIn, long recordsOut)
    {
        double records = Math.Max(recordsIn, recordsOut);
        return new Measurement
        {
            Scenario = scenario,
            Case = measured,
            In = recordsIn == 0 ? null : recordsIn / elapsed.TotalSeconds,
            Out = recordsOut == 0 ? null : recordsOut / elapsed.TotalSeconds,
            AllocatedBytes = used.AllocatedBytes / records,
            CpuNs = used.Cpu.TotalNanoseconds / records,
            Syncs = used.Syncs == 0 ? null : used.Syncs / elapsed.TotalSeconds,
        };
    }

    /// <summary>The producers of a case.</summary>
    private sealed class Load(BrokerRun run, List<Publisher> publishers) : IAsyncDisposable
    {
        private int _warm;

        public long Acknowledged => publishers.Sum(publisher => publisher.Acknowledged);

        /// <summary>Those of the publishes that were measured.</summary>
        public List<double> Latencies => [.. publishers.SelectMany(publisher => publisher.Latencies.Skip(_warm))];

        public static async Task<Load> OpenAsync(BrokerRun run, bool byClient, CancellationToken cancellationToken)
        {
            var publishers = new List<Publisher>();
            for (var i = 0; i < run.Case.Producers; i++)
            {
                var id = "producer-" + i.ToString(CultureInfo.InvariantCulture);
                publishers.Add(byClient
                    ? await ClientPublisher.OpenAsync(run.Broker.Connect(), run._topic, id, run.Case.Batch, run.RecordBytes, cancellationToken)
                    : await RawPublisher.OpenAsync(run.Broker.Connect(), run._topic, id, run.Case.Batch, run.RecordBytes));
            }
            return new Load(run, publishers);
        }

        public async Task<Measurement> MeasureAsync(string scenario, double? perSecond, Reader? reader, CancellationToken cancellationToken)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _warm = (int)((perSecond ?? 0) * run.WarmUp.TotalSeconds);
            var running = Task.WhenAll(publishers.Select(publisher => Task.Run(() => publisher.RunAsync(perSecond, stop.Token), cancellationToken)));
            var reading = reader?.RunAsync(long.MaxValue, stop.Token) ?? Task.CompletedTask;
            await PassAsync(run.WarmUp, running, cancellationToken);
            var usage = await run.Broker.UsageAsync(cancellationToken);
            var (acknowledged, fetched) = (Acknowledged, reader?.Records ?? 0);
            var watch = Stopwatch.StartNew();
            await PassAsync(run.Duration, running, cancellationToken);
            var elapsed = watch.Elapsed;
            var (recordsIn, recordsOut) = (Acknowledged - acknowledged, (reader?.Records ?? 0) - fetched);
            var used = await run.Broker.UsageAsync(cancellationToken) - usage;
            await stop.CancelAsync();
            await Task.WhenAll(running, reading);
            return run.Measured(scenario, used, elapsed, recordsIn, recordsOut);
        }

        public async Task FillAsync(long records, CancellationToken cancellationToken)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var running = Task.WhenAll(publishers.Select(publisher => publisher.RunAsync(perSecond: null, stop.Token)));
            while (Acknowledged < records && !running.IsCompleted)
                await Task.Delay(10, cancellationToken);
            await stop.CancelAsync();
            await running;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var publisher in publishers)
                await publisher.DisposeAsync();
        }

        /// <summary>Lets time pass; ends early when publishing failed.</summary>
        private static async Task PassAsync(TimeSpan time, Task running, CancellationToken cancellationToken)
        {
            if (await Task.WhenAny(Task.Delay(time, cancellationToken), running) == running)
                await running;
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private BrokerCase Case => measured;

    private MeasuredBroker Broker => broker;

    private int RecordBytes => recordBytes;

    private TimeSpan WarmUp => warmUp;

    private TimeSpan Duration => duration;
}
