using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry.Instrumentation.AspNetCore;
using Telemetry.Broker;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class BrokerAppTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_is_answered_over_grpc_and_http()
    {
        await using var broker = await RunningBroker.StartAsync();
        var health = await new Health.HealthClient(broker.Channel).CheckAsync(new HealthCheckRequest(), cancellationToken: Cancel);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
        Assert.Equal(HttpStatusCode.OK, (await broker.Web.GetAsync(new Uri("/health", UriKind.Relative), Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await broker.Web.GetAsync(new Uri("/alive", UriKind.Relative), Cancel)).StatusCode);
    }

    [Fact]
    public async Task Reflection_is_off_outside_development()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var reflection = new ServerReflection.ServerReflectionClient(broker.Channel).ServerReflectionInfo(cancellationToken: Cancel);
        var error = await Assert.ThrowsAsync<RpcException>(() => reflection.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
    }

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
    public async Task Streams_make_no_spans_and_calls_do()
    {
        await using var broker = await RunningBroker.StartAsync();
        var filter = broker.App.Services.GetRequiredService<IOptionsMonitor<AspNetCoreTraceInstrumentationOptions>>().CurrentValue.Filter!;
        Assert.All(["PublishStream", "Fetch", "Join"], method => Assert.False(filter(Request("/telemetry.queue.v1.Queue/" + method))));
        Assert.True(filter(Request("/telemetry.queue.v1.Queue/Publish")));
        Assert.True(filter(Request("/telemetry.queue.v1.QueueAdmin/Peek")));
        Assert.False(filter(Request("/metrics")));
    }

    [Fact]
    public async Task F27_a_stop_ends_all_streams_promptly_and_says_why()
    {
        await using var broker = await RunningBroker.StartAsync();
        await broker.Queue.PublishAsync(new PublishRequest { Topic = "telemetry", Batch = ByteString.CopyFrom(1), RecordCount = 1 }, cancellationToken: Cancel);
        using var fetch = broker.Queue.Fetch(cancellationToken: Cancel);
        await fetch.RequestStream.WriteAsync(new FetchRequest { Start = new FetchStart { Topic = "telemetry", Latest = true, CreditBytes = 1 } }, Cancel);
        await fetch.ResponseStream.Next();
        using var member = broker.Queue.Join(cancellationToken: Cancel);
        await member.RequestStream.WriteAsync(new MemberMessage { Join = new JoinGroup { Group = "g", Topic = "telemetry" } }, Cancel);
        await member.ResponseStream.Next();
        await member.ResponseStream.Next();
        using var publish = broker.Queue.PublishStream(cancellationToken: Cancel);
        await publish.RequestStream.WriteAsync(new PublishRequest { Topic = "telemetry", Partition = 1, Batch = ByteString.CopyFrom(1), RecordCount = 1 }, Cancel);
        await publish.ResponseStream.Next();

        var stopping = broker.App.StopAsync(Cancel);
        foreach (var ended in new Func<Task>[]
        {
            () => fetch.ResponseStream.MoveNext(Cancel),
            () => member.ResponseStream.MoveNext(Cancel),
            () => publish.ResponseStream.MoveNext(Cancel),
        })
        {
            var refused = await RunningBroker.Refused(ended);
                Assert.Equal((StatusCode.Unavailable, "SHUTTING_DOWN", "1000"), (refused.Status, refused.Code, refused.RetryMs));
        }
        await stopping.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
    }

    [Fact]
    public async Task A_data_path_ends_the_program_with_1()
    {
        var code = await Telemetry.ServiceDefaults.ServiceProgram.RunAsync<BrokerOptions>(
            "broker", "", ["--data-path", "x"], options => Task.FromResult(BrokerApp.Build(options) is null ? 0 : 0));
        Assert.Equal(1, code);
    }

    [Fact]
    public async Task Garbage_on_the_grpc_port_harms_nobody()
    {
        await using var broker = await RunningBroker.StartAsync();
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, broker.Address.Port, Cancel);
            await socket.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), Cancel);
        }
        var answer = await broker.Queue.PublishAsync(new PublishRequest { Topic = "telemetry", Batch = ByteString.CopyFrom(1), RecordCount = 1 }, cancellationToken: Cancel);
        Assert.Equal(0, answer.BaseOffset);
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

    private static DefaultHttpContext Request(string path)
    {
        var context = new DefaultHttpContext();
        context.Request.Path = path;
        return context;
    }
}
