using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Dashboard;

/// <summary>
/// Server-sent events for one browser: <c>resources</c> whenever a replica changes, <c>logs</c> with the lines since the last
/// one, first those that are kept. One stream carries both, as a browser opens only six connections to a host. A browser
/// that reads slowly misses lines (the event says how many); one that reads nothing is cut off by the server.
/// </summary>
internal sealed class DashboardStream(Supervisor supervisor, ResourceViews views, LogStore logs, TimeProvider time)
{
    private const int LinesMax = 1_000;

    // What happens within that time is sent together.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // Without it, neither side would notice that the other has gone.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>Writes until the browser goes away or the host stops.</summary>
    public async Task WriteAsync(HttpContext context, CancellationToken stopping)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        context.Response.ContentType = "text/event-stream";
        try
        {
            await WriteAsync(context, FirstLine(context.Request), ended.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The browser has closed the page, or the host stops.
        }
    }

    private async Task WriteAsync(HttpContext context, long place, CancellationToken cancellationToken)
    {
        var resourcesChanged = Task.CompletedTask;
        while (true)
        {
            var logsChanged = logs.Changes.Next;
            if (resourcesChanged.IsCompleted)
            {
                resourcesChanged = supervisor.Changes.Next;
                Write(context, "resources", null, views.Now(), DashboardJson.Default.ApplicationView);
            }
            place = WriteLines(context, place, out var more);
            await context.Response.BodyWriter.FlushAsync(cancellationToken);
            if (more)
                continue;
            Task changed = Task.WhenAny(logsChanged, resourcesChanged);
            await changed.WaitAsync(Heartbeat, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (!logsChanged.IsCompleted && !resourcesChanged.IsCompleted)
                context.Response.BodyWriter.Write(": still here\n\n"u8);
            else
                await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private long WriteLines(HttpContext context, long place, out bool more)
    {
        var lines = logs.After(place, LinesMax);
        more = lines.Count == LinesMax;
        if (lines.Count == 0)
            return place;
        // Before the first line that this browser has seen, none is missed: they are gone.
        var missed = place == 0 ? 0 : lines[0].Sequence - place - 1;
        var last = lines[^1].Sequence;
        Write(context, "logs", last, new LogView(missed, [.. lines.Select(LineView.Of)]), DashboardJson.Default.LogView);
        return last;
    }

    // JSON has no line breaks of its own, and those in texts are escaped: an event is one line of data.
    private static void Write<T>(HttpContext context, string name, long? id, T value, JsonTypeInfo<T> type)
    {
        var writer = context.Response.BodyWriter;
        var head = id is null ? $"event: {name}\ndata: " : string.Create(CultureInfo.InvariantCulture, $"event: {name}\nid: {id}\ndata: ");
        writer.Write(Encoding.UTF8.GetBytes(head));
        using (var json = new Utf8JsonWriter(writer))
            JsonSerializer.Serialize(json, value, type);
        writer.Write("\n\n"u8);
    }

    /// <summary>The line after which a browser that was cut off goes on; a number of an earlier run starts from the beginning.</summary>
    private long FirstLine(HttpRequest request) =>
        long.TryParse(request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last <= logs.LastSequence ? last : 0;
}
