using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Http;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Live;

/// <summary>An event of the stream as it is sent (WHATWG HTML, 9.2 Server-sent events), shared by all listeners that get it.</summary>
/// <param name="Bytes">Its lines, with the empty one that ends it.</param>
/// <param name="Records">The records in it.</param>
internal sealed record LiveEvent(ReadOnlyMemory<byte> Bytes, int Records)
{
    /// <summary>How long a client should wait before it connects again.</summary>
    private const int RetryMilliseconds = 2_000;

    // JSON has no line ends of its own, so that it is one line of data.
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The first lines of a stream: they are no event, and the client knows that it is connected.</summary>
    public static readonly LiveEvent Hello = Of($"retry: {RetryMilliseconds}\n\n");

    /// <summary>The end of a stream whose client does not keep up.</summary>
    public static readonly LiveEvent Dropped = Of(
        "event: dropped\ndata: {\"reason\":\"the client does not keep up with the records; connect again with Last-Event-ID to go on, and ask for less or give an interval\"}\n\n");

    /// <summary>Records, in the order given.</summary>
    /// <param name="rows">The records.</param>
    /// <param name="filter">Which of their metrics.</param>
    /// <param name="position">Where the stream goes on after them.</param>
    /// <param name="rules">When a GPU is idle or lost.</param>
    /// <param name="now">The time to which their age is counted.</param>
    public static LiveEvent OfRecords(IReadOnlyCollection<TelemetryRow> rows, LiveFilter filter, StorePosition position, FleetRules rules, DateTimeOffset now)
    {
        var names = filter.Metrics?.Split(',');
        var bytes = new ArrayBufferWriter<byte>(rows.Count * 256);
        bytes.Write(Encoding.ASCII.GetBytes($"event: records\nid: {position}\ndata: "));
        using (var json = new Utf8JsonWriter(bytes, Json))
        {
            json.WriteStartArray();
            foreach (var row in rows)
            {
                var record = LatestGpu.Of(new LatestRow(row, row.Timestamp), rules, now);
                JsonSerializer.Serialize(json, names is null ? record : record with { Metrics = Among(row.Metrics, names) }, GatewayJson.Default.LatestGpu);
            }
            json.WriteEndArray();
        }
        bytes.Write("\n\n"u8);
        return new LiveEvent(bytes.WrittenMemory, rows.Count);
    }

    /// <summary>Where the stream stands, as the client's Last-Event-ID; it is no event.</summary>
    public static LiveEvent Place(StorePosition position) => Of($"id: {position}\n\n");

    /// <summary>A sign of life.</summary>
    public static LiveEvent Heartbeat(StorePosition? position, DateTimeOffset now)
    {
        Span<byte> time = stackalloc byte[32];
        Rfc3339.TryFormat(now, time, out var written);
        var id = position is { } place ? $"id: {place}\n" : "";
        return Of($"event: heartbeat\n{id}data: {{\"time\":\"{Encoding.ASCII.GetString(time[..written])}\"}}\n\n");
    }

    /// <summary>Records between the client's last event and the position cannot be had.</summary>
    public static LiveEvent Gap(StorePosition position) => Of(
        $"event: gap\nid: {position}\ndata: {{\"reason\":\"the records after Last-Event-ID are not in the store as it was written then: they have left it by age, or it is another store; /api/v1/telemetry may have them\"}}\n\n");

    private static LiveEvent Of(string lines) => new(Encoding.UTF8.GetBytes(lines), 0);

    private static Dictionary<string, double> Among(IReadOnlyDictionary<string, double> metrics, string[] names)
    {
        var some = new Dictionary<string, double>(names.Length, StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (metrics.TryGetValue(name, out var value))
                some.Add(name, value);
        }
        return some;
    }
}
