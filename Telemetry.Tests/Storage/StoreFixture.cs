using Microsoft.Extensions.Time.Testing;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

/// <summary>A store in a temporary folder, with one partition to write to and a clock that stands still.</summary>
internal sealed class StoreFixture : IDisposable
{
    public static readonly DateTimeOffset Epoch = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("store-").FullName;
    private readonly Guid _topicId = Guid.NewGuid();
    private PartitionLease? _lease;
    private LogPosition? _position;

    public StoreFixture(TelemetryStoreOptions? options = null)
    {
        DatabasePath = Path.Combine(_folder, "run", "telemetry.db");
        Store = Open(options);
    }

    public string Folder => _folder;

    public string DatabasePath { get; }

    public FakeTimeProvider Time { get; } = new(Epoch);

    public TelemetryStore Store { get; private set; }

    public LogPosition? Position => _position;

    public TelemetryStore Open(TelemetryStoreOptions? options = null) =>
        TelemetryStore.Open(DatabasePath, (options ?? new TelemetryStoreOptions()) with { Time = Time });

    public TelemetryReader Reader() => new(DatabasePath, Time);

    public void Reopen()
    {
        Store.Dispose();
        Store = Open();
        _lease = null;
    }

    /// <summary>Writes rows as the next records of the partition.</summary>
    public WriteResult Write(params ModelRow[] rows)
    {
        _lease ??= Store.AcquirePartition("telemetry", 0, "test");
        var part = Part(_lease, _position, To((_position?.NextOffset ?? 0) + rows.Length), rows);
        var result = Store.Write([part]);
        _position = part.To;
        return result;
    }

    public LogPosition To(long nextOffset, int logEpoch = 1) => new(_topicId, logEpoch, nextOffset);

    public static PartitionWrite Part(PartitionLease lease, LogPosition? from, LogPosition to, params ModelRow[] rows) => new()
    {
        Topic = lease.Topic,
        Partition = lease.Partition,
        OwnerEpoch = lease.OwnerEpoch,
        From = from,
        To = to,
        Rows = rows.Length == 0 ? [] : [Block(rows)],
    };

    /// <summary>Rows as columns.</summary>
    public static RowBlock Block(IReadOnlyList<ModelRow> rows)
    {
        var series = rows.Select(r => r.Gpu).Distinct().ToList();
        var metrics = rows.SelectMany(r => r.Values.Keys).Distinct().ToList();
        return new RowBlock
        {
            Times = rows.Select(r => r.Time).ToArray(),
            SeriesOf = rows.Select(r => series.IndexOf(r.Gpu)).ToArray(),
            Series = series,
            Metrics = metrics,
            Values = [.. metrics.Select(m => (ReadOnlyMemory<double>)rows.Select(r => r.Values.GetValueOrDefault(m, double.NaN)).ToArray())],
            Count = rows.Count,
        };
    }

    public static GpuLabels Gpu(string host, string gpu, string pod = "") => new(host, gpu, $"GPU-{host}-{gpu}", "H100", $"nvidia{gpu}", pod, "", "");

    public static ModelRow Row(int second, string host = "a", string gpu = "0", double value = 1, string metric = "power_w") =>
        new(Epoch.ToUnixTimeMilliseconds() + (second * 1000L), Gpu(host, gpu), new() { [metric] = value });

    public void Dispose()
    {
        Store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A row of the naive model.</summary>
internal sealed record ModelRow(long Time, GpuLabels Gpu, Dictionary<string, double> Values);
