using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Telemetry.Tests.Gateway.Live;

/// <summary>A listener, which reads events as a browser does.</summary>
internal sealed class LiveClient : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly SseParser<string> _parser;
    private readonly IAsyncEnumerator<SseItem<string>> _events;

    private LiveClient(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _parser = SseParser.Create(body);
        _events = _parser.EnumerateAsync(Cancelled).GetAsyncEnumerator(Cancelled);
    }

    public HttpResponseMessage Response => _response;

    /// <summary>The id to go on from.</summary>
    public string LastEventId => _parser.LastEventId;

    public TimeSpan Retry => _parser.ReconnectionInterval;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<LiveClient> ConnectAsync(GatewayServer server, string query = "", string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/telemetry/stream" + query);
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
        if (response.StatusCode != HttpStatusCode.OK)
            Assert.Fail($"the stream answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(Cancelled)}");
        return new LiveClient(response, await response.Content.ReadAsStreamAsync(Cancelled));
    }

    /// <summary>A listener that has joined: what is written from now on comes. It is told so by a first heartbeat.</summary>
    public static async Task<LiveClient> JoinAsync(GatewayServer server, string query = "", string? lastEventId = null)
    {
        var client = await ConnectAsync(server, query, lastEventId);
        while (client.LastEventId.Length == 0)
            Assert.Equal("heartbeat", (await client.NextAsync())!.Value.EventType);
        return client;
    }

    /// <summary>The next event; null at the end of the stream.</summary>
    public async Task<SseItem<string>?> NextAsync() => await _events.MoveNextAsync() ? _events.Current : null;

    /// <summary>The next event that is no heartbeat.</summary>
    public async Task<SseItem<string>?> NewsAsync()
    {
        while (true)
        {
            var next = await NextAsync();
            if (next?.EventType != "heartbeat")
                return next;
        }
    }

    /// <summary>That many records, in one event or several.</summary>
    public async Task<List<JsonElement>> RecordsAsync(int count)
    {
        var records = new List<JsonElement>();
        while (records.Count < count)
        {
            var next = await NewsAsync();
            Assert.Equal("records", next?.EventType);
            records.AddRange(JsonElement.Parse(next!.Value.Data).EnumerateArray());
        }
        Assert.Equal(count, records.Count);
        return records;
    }

    /// <summary>The values of a metric of that many records.</summary>
    public async Task<List<double>> ValuesAsync(int count, string metric = "power_w") =>
        [.. (await RecordsAsync(count)).Select(r => r.GetProperty("metrics").GetProperty(metric).GetDouble())];

    public async ValueTask DisposeAsync()
    {
        _response.Dispose();
        await _events.DisposeAsync();
    }
}
