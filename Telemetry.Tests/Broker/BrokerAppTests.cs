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
using Telemetry.ServiceDefaults;

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
        await publish.RequestStream.WriteAsync(new PublishRequests { Publishes = { new PublishRequest { Topic = "telemetry", Partition = 1, Batch = ByteString.CopyFrom(1), RecordCount = 1 } } }, Cancel);
        await publish.ResponseStream.Next();

        Task[] reads = [fetch.ResponseStream.MoveNext(Cancel), member.ResponseStream.MoveNext(Cancel), publish.ResponseStream.MoveNext(Cancel)];
        var stopping = broker.App.StopAsync(Cancel);
        foreach (var read in reads)
            Assert.Equal((StatusCode.Unavailable, "the broker is stopping; reconnect and retry", "SHUTTING_DOWN", "1000"), await RunningBroker.Refused(() => read));
        await stopping.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_used_ends_the_program_with_1()
    {
        using var file = new TemporaryFile();
        var path = Path.Combine(file.Path, "log");
        // It is refused before anything listens.
        var code = await ServiceProgram.RunAsync<BrokerOptions>("broker", "", ["--data-path", path], options => throw new InvalidOperationException($"built {BrokerApp.Build(options)}"));
        Assert.Equal(1, code);
        var error = Assert.Throws<StartupException>(() => BrokerApp.Build(new BrokerOptions { DataPath = path }));
        Assert.StartsWith($"DATA_PATH: the folder '{path}' cannot be made or written: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_folder_belongs_to_one_broker_at_a_time()
    {
        var folder = Directory.CreateTempSubdirectory("telemetry-broker-");
        try
        {
            var options = new BrokerOptions { DataPath = folder.FullName };
            await using (await RunningBroker.StartAsync(options))
            {
                var error = Assert.Throws<StartupException>(() => BrokerApp.Build(options));
                Assert.StartsWith($"DATA_PATH: the folder '{folder.FullName}' is used by another broker, or is not writable: ", error.Message, StringComparison.Ordinal);
            }
            await using var next = await RunningBroker.StartAsync(options);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
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

    private static DefaultHttpContext Request(string path)
    {
        var context = new DefaultHttpContext();
        context.Request.Path = path;
        return context;
    }

    private sealed class TemporaryFile : IDisposable
    {
        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
