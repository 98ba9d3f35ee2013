using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults;

namespace Telemetry.Tests.Gateway;

/// <summary>A queue on a free port that says of itself what a test wants, over real gRPC.</summary>
internal sealed class FakeQueue : QueueAdmin.QueueAdminBase, IAsyncDisposable
{
    private readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication? _app;

    public ListTopicsResponse Topics { get; } = new();

    public ListGroupsResponse Groups { get; } = new();

    /// <summary>What was asked of single groups.</summary>
    public ConcurrentQueue<DescribeGroupRequest> Asked { get; } = new();

    /// <summary>Ends when something was asked.</summary>
    public Task Called => _called.Task;

    /// <summary>Whether calls are held until they are cancelled.</summary>
    public bool Hangs { get; set; }

    /// <summary>What calls fail with; null for nothing.</summary>
    public Status? Fails { get; set; }

    public string Address { get; private set; } = "";

    public static async Task<FakeQueue> StartAsync()
    {
        var queue = new FakeQueue();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(queue);
        queue._app = builder.Build();
        queue._app.MapGrpcService<FakeQueue>();
        await queue._app.StartAsync(TestContext.Current.CancellationToken);
        queue.Address = queue._app.BoundAddresses()[0].Authority;
        return queue;
    }

    public override Task<ListTopicsResponse> ListTopics(ListTopicsRequest request, ServerCallContext context) => AnswerAsync(Topics, context);

    public override Task<ListGroupsResponse> ListGroups(ListGroupsRequest request, ServerCallContext context) => AnswerAsync(Groups, context);

    public override Task<GroupDescription> DescribeGroup(DescribeGroupRequest request, ServerCallContext context)
    {
        Asked.Enqueue(request);
        return AnswerAsync(Groups.Groups.Single(group => group.Group == request.Group), context);
    }

    public async ValueTask DisposeAsync()
    {
        await _app!.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    private async Task<T> AnswerAsync<T>(T answer, ServerCallContext context)
    {
        _called.TrySetResult();
        if (Hangs)
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        return Fails is { } status ? throw new RpcException(status) : answer;
    }
}
