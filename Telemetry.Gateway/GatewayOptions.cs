using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway;

/// <summary>The gateway's settings.</summary>
public sealed record GatewayOptions : ServiceOptions
{
    // Network

    /// <summary>The port of the API, /health and /metrics; 0 is any free port.</summary>
    [Setting("PORT", "The port of the API, /health and /metrics; 0 = any free port.", Min = "0", Max = "65535")]
    public int Port { get; init; } = 8080;

    /// <summary>Whether browsers may read the API from pages of any origin, without credentials.</summary>
    [Setting("CORS_ENABLED", "Whether browsers may read the API from pages of any origin (without credentials).")]
    public bool CorsEnabled { get; init; } = true;

    // Sources

    /// <summary>The store's file, which the collectors write. It may not exist yet.</summary>
    [Setting("DATABASE_PATH", "The store's file, which the collectors write; until it exists the answers are empty.")]
    public string DatabasePath { get; init; } = "data/telemetry.db";

    /// <summary>The queue, of which /api/v1/pipeline shows topics, groups and lag; empty is the broker that an Aspire host refers to, or none.</summary>
    [Setting("MESSAGEQUEUE_ADDR", "The queue as host:port or URL, for lag in /api/v1/pipeline; none leaves the queue out.", AllowEmpty = true)]
    public string MessageQueueAddress { get; init; } = "";

    // Judgement

    /// <summary>A file that changes some of the rules by which a GPU is idle, hot, failing or lost; empty for none.</summary>
    [Setting("FLEET_RULES", "A file that changes when a GPU is idle, hot, failing or lost; none: the defaults, which /api/v1/fleet/rules shows.", AllowEmpty = true)]
    public string FleetRules { get; init; } = "";

    // Limits: fixed in code, seen by tests.

    /// <summary>How long a request may take to read the store before it is answered with 503.</summary>
    internal TimeSpan QueryTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long /api/v1/pipeline waits for the queue.</summary>
    internal TimeSpan QueueTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Requests per second that one address may make on average.</summary>
    internal int RequestsPerSecondMax { get; init; } = 5_000;

    /// <summary>Requests that one address may make at once, above its average.</summary>
    internal int RequestBurstMax { get; init; } = 10_000;

    /// <summary>Requests of one address that are worked on at the same time; eight times as many may wait.</summary>
    internal int ConcurrentRequestsMax { get; init; } = 64;

    /// <summary>How often the store is looked at for new records while somebody listens to the stream.</summary>
    internal TimeSpan LiveInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Records that are read from the store at a time, and sent in one event of the stream.</summary>
    internal int LiveRecordsMax { get; init; } = 5_000;

    /// <summary>After this time without an event, a stream says that it is still there.</summary>
    internal TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Records that may wait for one listener before it is told that it is too slow.</summary>
    internal int ListenerRecordsMax { get; init; } = 50_000;

    /// <summary>Bytes that may wait for one listener before it is told that it is too slow.</summary>
    internal long ListenerBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>Streams that may be open, and how many of them by one address.</summary>
    internal RequestBounds Streams { get; init; } = new(256, 64);

    /// <summary>Exports that may be under way, and how many of them by one address.</summary>
    internal RequestBounds Exports { get; init; } = new(8, 4);
}

/// <summary>How many requests of a kind are worked on at the same time.</summary>
/// <param name="Max">Of all addresses.</param>
/// <param name="AddressMax">Of one address.</param>
internal sealed record RequestBounds(int Max, int AddressMax);
