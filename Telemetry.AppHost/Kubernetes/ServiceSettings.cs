namespace Telemetry.AppHost.Kubernetes;

/// <summary>A setting of a service as values.yaml shows it.</summary>
internal sealed record ServiceSetting(string Name, string Default, string Comment);

/// <summary>
/// Every setting of every service. The AppHost knows the services as resources only, so the list stands here; a test holds
/// it against the services' own.
/// </summary>
internal static class ServiceSettings
{
    /// <summary>The services, in the order in which data passes through them.</summary>
    public static IReadOnlyList<string> Services { get; } = ["broker", "streamer", "collector", "gateway"];

    /// <summary>What every service has.</summary>
    public static IReadOnlyList<ServiceSetting> Shared { get; } =
    [
        new("LOG_LEVEL", "info", "The least severe level that is logged."),
        new("LISTEN_ADDRESS", "localhost", "The address to listen on: localhost, any, or an IP address. 'any' opens the service to the network."),
    ];

    /// <summary>What the runtime and the libraries of every service read.</summary>
    public static IReadOnlyList<ServiceSetting> Runtime { get; } =
    [
        new("OTEL_EXPORTER_OTLP_ENDPOINT", "", "Where traces and metrics are sent, as http://collector.monitoring:4317; none: nowhere. /metrics is there in any case."),
        new("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "How they are sent: grpc (port 4317) or http/protobuf (port 4318)."),
        new("OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY", "in_memory", "in_memory: what could not be sent is tried again."),
        new("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true", "true: a client's address is what X-Forwarded-For says, as an ingress sets it; false where clients connect themselves."),
        new("DOTNET_EnableDiagnostics", "0", "1 lets dotnet-trace and dotnet-dump connect from inside the pod."),
    ];

    private static readonly Dictionary<string, IReadOnlyList<ServiceSetting>> Own = new()
    {
        ["broker"] =
        [
            new("PORT", "9090", "The port of the gRPC service; 0 = any free port."),
            new("METRICS_PORT", "9091", "The port of /metrics and /health; 0 = any free port."),
            new("MAX_PARTITIONS", "4", "How many partitions a topic gets that is made on first use."),
            new("MAX_MESSAGES_PER_PARTITION", "10000", "How many records a partition holds before publishers have to wait."),
            new("MAX_MEGABYTES_PER_PARTITION", "10240", "How many MiB a partition holds before publishers have to wait."),
            new("MESSAGE_TTL", "24h", "How long a record is kept that a group has not read, by the time of its append."),
            new("DATA_PATH", "", "The folder of the log; none keeps everything in memory."),
            new("FSYNC", "always", "When an append is acknowledged: always = after it is synced to disk; a duration = before, with a sync that often."),
        ],
        ["streamer"] =
        [
            new("CSV_FILE", "data/telemetry.csv", "What is streamed: a CSV file, a directory (its *.csv in ordinal order) or a glob in the last part of the path."),
            new("LOOP_DATA", "true", "true: the input begins again after its end; false: the program ends with 0 once all of it is acknowledged."),
            new("FOLLOW", "false", "Reads lines as they are appended to the file (one file only); LOOP_DATA has no effect then."),
            new("STREAM_INTERVAL", "5s", "The time between two batches; 0 = as fast as the queue takes it."),
            new("BATCH_SIZE", "10", "Records in a batch: rows of a wide file, coalesced rows of a long file; at full speed batches are joined."),
            new("TIMESTAMP_MODE", "now", "now: a record carries the time at which it is streamed; source: the time in the file."),
            new("MESSAGEQUEUE_ADDR", "localhost:9090", "The queue as host:port or URL; under service discovery the broker's reference is used where this is not set."),
            new("TOPIC", "telemetry", "The topic; made on first use."),
            new("METRICS_PORT", "9092", "The port of /metrics and /health; 0 = any free port."),
        ],
        ["collector"] =
        [
            new("MESSAGEQUEUE_ADDR", "localhost:9090", "The queue: host:port or a URL."),
            new("TOPIC", "telemetry", "The topic to read."),
            new("CONSUMER_GROUP", "collectors", "The consumer group; collectors with the same one share the topic's partitions."),
            new("DATABASE_PATH", "data/telemetry.db", "The database file, on a local disk; made if it is missing."),
            new("POLL_INTERVAL", "2s", "How long records wait for others before they are written."),
            new("BATCH_SIZE", "50", "How many records are written without waiting for more; under load transactions grow beyond it."),
            new("WORKER_COUNT", "2", "How many batches are decoded at the same time."),
            new("FOLD_INTERVAL", "30s", "How often plain rows are folded into the compressed history."),
            new("RAW_RETENTION", "1h", "How long rows stay plain, before only their compressed history is kept."),
            new("HISTORY_RETENTION", "30d", "How long every record is kept."),
            new("ROLLUP_RETENTION", "400d", "How long roll-ups, gaps and dead letters are kept."),
            new("METRICS_PORT", "9093", "The port of /metrics and /health; 0 = any free port."),
        ],
        ["gateway"] =
        [
            new("PORT", "8080", "The port of the API, /health and /metrics; 0 = any free port."),
            new("FLEET_RULES", "", "A file that changes when a GPU is idle, hot, failing or lost; none: the defaults, which /api/v1/fleet/rules shows."),
            new("CORS_ENABLED", "true", "Whether browsers may read the API from pages of any origin (without credentials)."),
            new("DATABASE_PATH", "data/telemetry.db", "The store's file, which the collectors write; until it exists the answers are empty."),
            new("MESSAGEQUEUE_ADDR", "", "The queue as host:port or URL, for lag in /api/v1/pipeline; none leaves the queue out."),
        ],
    };

    /// <summary>Everything that a service reads, its own settings first.</summary>
    public static IEnumerable<ServiceSetting> Of(string service) => [.. Own[service], .. Shared, .. Runtime];
}
