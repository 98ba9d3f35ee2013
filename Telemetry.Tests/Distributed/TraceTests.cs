using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Telemetry.Broker;
using Telemetry.Collector;
using Telemetry.ServiceDefaults;
using Telemetry.Storage.Queries;
using Telemetry.Streamer;
using Telemetry.Tests.Tidy;

namespace Telemetry.Tests.Distributed;

[Collection(nameof(Distributed))]
public sealed class TraceTests
{
    [Fact]
    public async Task A_trace_follows_a_batch_from_the_streamer_to_the_collectors_transaction()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith("Telemetry.", StringComparison.Ordinal),
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var folder = Directory.CreateTempSubdirectory("telemetry-trace-").FullName;
        try
        {
            await using var broker = BrokerApp.Build(new BrokerOptions { Port = 0, MetricsPort = 0 });
            await broker.StartAsync(cancellation);
            var address = broker.BoundAddresses()[0].Authority;
            var database = Path.Combine(folder, "telemetry.db");
            await using var collector = CollectorApp.Build(new CollectorOptions
            {
                MessageQueueAddress = address,
                DatabasePath = database,
                MetricsPort = 0,
                PollInterval = TimeSpan.FromMilliseconds(50),
            });
            await collector.StartAsync(cancellation);
            await using var streamer = StreamerApp.Build(new StreamerOptions
            {
                QueueAddr = address,
                CsvFile = Path.Combine(Repository.Root, "data", "dcgm.csv"),
                MetricsPort = 0,
                StreamInterval = TimeSpan.Zero,
                LoopData = false,
            });
            await streamer.StartAsync(cancellation);
            await streamer.WaitForShutdownAsync(cancellation); // it ends by itself

            using var reader = new TelemetryReader(database);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while ((await reader.StateAsync(cancellation)).Rows < 192)
                Assert.True(await timer.WaitForNextTickAsync(cancellation));
            await collector.StopAsync(cancellation);

            var published = spans.Where(span => span.OperationName == "publish batch").ToDictionary(span => span.SpanId);
            var stored = spans.Where(span => span.OperationName == "store batch").ToList();
            Assert.NotEmpty(published);
            Assert.Equal(published.Count, stored.Count);
            Assert.All(stored, span => Assert.Equal(published[span.ParentSpanId].TraceId, span.TraceId));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
