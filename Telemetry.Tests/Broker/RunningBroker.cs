using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Telemetry.Broker;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults;

namespace Telemetry.Tests.Broker;

/// <summary>The real broker on free ports, and generated clients of it.</summary>
internal sealed class RunningBroker : IAsyncDisposable
{
    private readonly GrpcChannel _channel;

    private RunningBroker(WebApplication app)
    {
        App = app;
        var addresses = app.BoundAddresses();
        Address = addresses[0];
        Web = new HttpClient { BaseAddress = addresses[1] };
        _channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions { MaxReceiveMessageSize = null, MaxSendMessageSize = null });
        Queue = new Queue.QueueClient(_channel);
        Admin = new QueueAdmin.QueueAdminClient(_channel);
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    public HttpClient Web { get; }

    public ChannelBase Channel => _channel;

    public Queue.QueueClient Queue { get; }

    public QueueAdmin.QueueAdminClient Admin { get; }

    public BrokerCore Core => App.Services.GetRequiredService<BrokerCore>();

    public static async Task<RunningBroker> StartAsync(BrokerOptions? options = null, TimeProvider? time = null)
    {
        var app = BrokerApp.Build((options ?? new BrokerOptions { MaxPartitions = 2 }) with { Port = 0, MetricsPort = 0, LogLevel = Telemetry.ServiceDefaults.Settings.LogVerbosity.Error }, time);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new RunningBroker(app);
    }

    /// <summary>Sends a request whose outcome is an error, and returns status, code and retry delay.</summary>
    public static async Task<(StatusCode Status, string Detail, string? Code, string? RetryMs)> Refused(Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        return (error.StatusCode, error.Status.Detail, error.Trailers.GetValue("queue-error"), error.Trailers.GetValue("grpc-retry-pushback-ms"));
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        Web.Dispose();
        await App.StopAsync(CancellationToken.None);
        await App.DisposeAsync();
    }
}

/// <summary>The next message of a stream, within a time in which it must have come.</summary>
internal static class Streams
{
    public static async Task<T> Next<T>(this IAsyncStreamReader<T> stream)
    {
        Assert.True(await stream.MoveNext(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken), "the stream ended");
        return stream.Current;
    }

    public static async Task Ended<T>(this IAsyncStreamReader<T> stream) =>
        Assert.False(await stream.MoveNext(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
}
