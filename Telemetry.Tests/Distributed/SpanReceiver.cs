using System.Collections.Concurrent;
using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Telemetry.Tests.Distributed;

/// <summary>A span as a service has exported it; ids in hexadecimal.</summary>
internal sealed record ReceivedSpan(string Name, string TraceId, string SpanId, string ParentId);

/// <summary>Takes the spans of all services: OTLP over HTTP, any free loopback port.</summary>
internal sealed class SpanReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();
    private readonly WebApplication _app;

    private SpanReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.MapPost("/v1/traces", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            Read(new CodedInputStream(body.ToArray()), "");
        });
        _app.MapPost("/v1/{signal}", () => Results.Ok());
    }

    public IReadOnlyCollection<ReceivedSpan> Spans => _spans;

    public string Address => _app.Urls.Single();

    public static async Task<SpanReceiver> StartAsync(CancellationToken cancellationToken)
    {
        var receiver = new SpanReceiver();
        await receiver._app.StartAsync(cancellationToken);
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    // ExportTraceServiceRequest { 1: ResourceSpans { 2: ScopeSpans { 2: Span { 1: trace_id, 2: span_id, 4: parent_span_id, 5: name } } } }
    private void Read(CodedInputStream input, string path)
    {
        var (name, trace, span, parent) = ("", "", "", "");
        while (input.ReadTag() is var tag and not 0)
        {
            var field = $"{path}/{WireFormat.GetTagFieldNumber(tag)}";
            if (WireFormat.GetTagWireType(tag) != WireFormat.WireType.LengthDelimited)
            {
                input.SkipLastField();
                continue;
            }
            var bytes = input.ReadBytes();
            switch (field)
            {
                case "/1" or "/1/2" or "/1/2/2":
                    Read(bytes.CreateCodedInput(), field);
                    break;
                case "/1/2/2/1":
                    trace = Convert.ToHexString(bytes.Span);
                    break;
                case "/1/2/2/2":
                    span = Convert.ToHexString(bytes.Span);
                    break;
                case "/1/2/2/4":
                    parent = Convert.ToHexString(bytes.Span);
                    break;
                case "/1/2/2/5":
                    name = bytes.ToStringUtf8();
                    break;
            }
        }
        if (path == "/1/2/2")
            _spans.Enqueue(new ReceivedSpan(name, trace, span, parent));
    }
}
