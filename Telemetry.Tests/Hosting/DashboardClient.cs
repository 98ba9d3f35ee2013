using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Telemetry.Tests.Hosting;

/// <summary>A browser's part in talking to the dashboard of a <see cref="TestHost"/>, signed in.</summary>
internal sealed class DashboardClient : IDisposable
{
    private readonly CancellationToken _limit;

    private DashboardClient(Uri login, CancellationToken limit)
    {
        Login = login;
        _limit = limit;
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = true, CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(login, "/") };
    }

    /// <summary>The arguments of a host that has a dashboard.</summary>
    public static string[] Args { get; } = ["--Dashboard:Enabled=true", "--Dashboard:Port=0"];

    /// <summary>The address that the host has printed.</summary>
    public Uri Login { get; }

    public HttpClient Http { get; }

    public static async Task<Uri> LoginAddressAsync(TestHost host)
    {
        var line = await host.Lines.LineAsync(line => line.StartsWith("[host] dashboard: ", StringComparison.Ordinal), host.Limit);
        return new Uri(line.Split(' ')[^1]);
    }

    public static async Task<DashboardClient> SignInAsync(TestHost host)
    {
        var client = new DashboardClient(await LoginAddressAsync(host), host.Limit);
        using var page = await client.Http.GetAsync(client.Login, host.Limit);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        return client;
    }

    /// <summary>Sends a command as the page does.</summary>
    public async Task<HttpStatusCode> CommandAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("X-Dashboard", "1");
        request.Headers.Add("Origin", Http.BaseAddress!.GetLeftPart(UriPartial.Authority));
        using var response = await Http.SendAsync(request, _limit);
        return response.StatusCode;
    }

    public Task<JsonElement> JsonAsync(string path) => Http.GetFromJsonAsync<JsonElement>(path, _limit);

    /// <summary>A replica as the page shows it now.</summary>
    public async Task<JsonElement> ReplicaAsync(string id) =>
        (await JsonAsync("/api/resources")).GetProperty("resources").EnumerateArray()
            .SelectMany(resource => resource.GetProperty("replicas").EnumerateArray())
            .Single(replica => replica.GetProperty("id").GetString() == id);

    /// <summary>Reads the stream of events until a replica is in a state that the page shows so.</summary>
    public Task<JsonElement> ReplicaAsync(string id, string state) => ReplicaAsync(id, replica => replica.GetProperty("state").GetString() == state);

    /// <summary>Reads the stream of events until a replica is as expected.</summary>
    public async Task<JsonElement> ReplicaAsync(string id, Func<JsonElement, bool> isExpected)
    {
        using var events = await EventsAsync();
        while (true)
        {
            var (name, data) = await events.NextAsync();
            if (name != "resources")
                continue;
            foreach (var replica in data.GetProperty("resources").EnumerateArray().SelectMany(resource => resource.GetProperty("replicas").EnumerateArray()))
            {
                if (replica.GetProperty("id").GetString() == id && isExpected(replica))
                    return replica;
            }
        }
    }

    public async Task<EventReader> EventsAsync() => new(new StreamReader(await Http.GetStreamAsync("/api/stream", _limit)), _limit);

    public void Dispose() => Http.Dispose();
}

/// <summary>Reads server-sent events.</summary>
internal sealed class EventReader(StreamReader reader, CancellationToken limit) : IDisposable
{
    public async Task<(string Name, JsonElement Data)> NextAsync()
    {
        var name = "";
        while (true)
        {
            var line = await reader.ReadLineAsync(limit) ?? throw new EndOfStreamException();
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line["event: ".Length..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                return (name, JsonDocument.Parse(line["data: ".Length..]).RootElement);
        }
    }

    /// <summary>The next line of a log that fits.</summary>
    public async Task<JsonElement> LineAsync(Func<string, bool> predicate)
    {
        while (true)
        {
            var (name, data) = await NextAsync();
            if (name != "logs")
                continue;
            foreach (var line in data.GetProperty("lines").EnumerateArray())
            {
                if (predicate(line.GetProperty("text").GetString()!))
                    return line;
            }
        }
    }

    public void Dispose() => reader.Dispose();
}
