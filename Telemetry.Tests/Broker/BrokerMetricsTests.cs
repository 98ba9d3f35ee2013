using Google.Protobuf;
using Grpc.Core;
using Telemetry.Broker;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

/// <summary>Alone in the process: OpenTelemetry takes meters of equal names for one, which ends when one of them is disposed.</summary>
[CollectionDefinition(nameof(BrokerMetricsTests), DisableParallelization = true)]
[Collection(nameof(BrokerMetricsTests))]
public sealed class BrokerMetricsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_have_exactly_the_names_of_the_design()
    {
        await using var broker = await RunningBroker.StartAsync(new BrokerOptions { MaxPartitions = 1, MaxMessagesPerPartition = 10 });
        const string topic = "metrics-of-the-broker";
        var request = new PublishRequest { Topic = topic, Batch = ByteString.CopyFrom(1), RecordCount = 7 };
        await broker.Queue.PublishAsync(request, cancellationToken: Cancel);
        await Assert.ThrowsAsync<RpcException>(() => broker.Queue.PublishAsync(request, cancellationToken: Cancel).ResponseAsync);
        using var member = broker.Queue.Join(cancellationToken: Cancel);
        await member.RequestStream.WriteAsync(new MemberMessage { Join = new JoinGroup { Group = "metrics-group", Topic = topic } }, Cancel);
        await member.ResponseStream.Next();
        using var fetch = broker.Queue.Fetch(cancellationToken: Cancel);
        await fetch.RequestStream.WriteAsync(new FetchRequest { Start = new FetchStart { Topic = topic, Earliest = true, CreditBytes = 100, Group = "metrics-group" } }, Cancel);
        await fetch.ResponseStream.Next();
        await fetch.ResponseStream.Next();

        string[] expected =
        [
            $"telemetry_pipeline_messagequeue_messages_published_total{{topic=\"{topic}\"}} 7",
            $"telemetry_pipeline_messagequeue_messages_consumed_total{{group=\"metrics-group\",topic=\"{topic}\"}} 7",
            $"telemetry_pipeline_messagequeue_queue_size{{partition=\"0\",topic=\"{topic}\"}} 7",
            $"telemetry_pipeline_messagequeue_lag_records{{group=\"metrics-group\",partition=\"0\",topic=\"{topic}\"}} 7",
            $"telemetry_pipeline_messagequeue_lag_seconds{{group=\"metrics-group\",partition=\"0\",topic=\"{topic}\"}} ",
            "telemetry_pipeline_messagequeue_rejected_total{reason=\"partition_full\"} ",
            "telemetry_pipeline_messagequeue_publish_duration_seconds_count ",
        ];
        // The count of consumed records is raised after the batch was sent.
        await Eventually.Is(() => Scrape(broker).GetAwaiter().GetResult().Contains(expected[1]));
        var lines = await Scrape(broker);
        Assert.All(expected, line => Assert.Contains(lines, found => found.StartsWith(line, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Metrics_of_a_log_on_disk_tell_its_syncs_sizes_and_recoveries()
    {
        var folder = Directory.CreateTempSubdirectory("broker-metrics-");
        try
        {
            var options = new BrokerOptions { MaxPartitions = 1, DataPath = folder.FullName };
            const string topic = "durable-metrics";
            await using (var first = await RunningBroker.StartAsync(options))
            {
                await first.Queue.PublishAsync(new PublishRequest { Topic = topic, Batch = ByteString.CopyFrom(1), RecordCount = 7 }, cancellationToken: Cancel);
                var written = await Scrape(first);
                Assert.Contains("telemetry_pipeline_messagequeue_written_records_sum 7", written);
                Assert.Contains(written, line => line.StartsWith("telemetry_pipeline_messagequeue_sync_duration_seconds_count ", StringComparison.Ordinal));
                Assert.Contains($"telemetry_pipeline_messagequeue_queue_bytes{{partition=\"0\",topic=\"{topic}\"}} 80", written);
                Assert.Contains($"telemetry_pipeline_messagequeue_damaged_records{{partition=\"0\",topic=\"{topic}\"}} 0", written);
                Assert.Contains("telemetry_pipeline_messagequeue_under_way_bytes 0", written);
            }
            await using var second = await RunningBroker.StartAsync(options);
            var opened = await Scrape(second);
            Assert.Contains("telemetry_pipeline_messagequeue_recoveries_total{closed=\"in_order\"} 1", opened);
            Assert.Contains("telemetry_pipeline_messagequeue_torn_bytes_total 0", opened);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string[]> Scrape(RunningBroker broker) =>
        [.. (await broker.Web.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancel)).Split('\n').Select(WithoutScope)];

    /// <summary>A sample without the exporter's own labels and time, with its labels in order.</summary>
    private static string WithoutScope(string line)
    {
        var open = line.IndexOf('{', StringComparison.Ordinal);
        var close = line.LastIndexOf('}');
        if (open < 0 || close < open || line[0] == '#')
            return line;
        var labels = line[(open + 1)..close].Split(',').Where(label => !label.StartsWith("otel_", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var value = line[(close + 1)..].Trim().Split(' ')[0];
        return line[..open] + (labels.Count > 0 ? "{" + string.Join(',', labels) + "}" : "") + " " + value;
    }
}
