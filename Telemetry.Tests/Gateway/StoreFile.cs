using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway;

/// <summary>A store in a folder of its own, written through the real writer.</summary>
internal sealed class StoreFile : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-");
    private readonly Guid _topicId = Guid.NewGuid();
    private readonly TimeProvider? _time;
    private TelemetryStore? _store;
    private PartitionLease? _lease;
    private long _next;

    public StoreFile(TimeProvider? time = null) => _time = time;

    public string Path => System.IO.Path.Combine(_folder.FullName, "telemetry.db");

    public Guid TopicId => _topicId;

    /// <summary>Makes the file, with its tables.</summary>
    public TelemetryStore Open() => _store ??= TelemetryStore.Open(Path, new TelemetryStoreOptions { Time = _time });

    /// <summary>Writes records in one transaction of partition 0.</summary>
    public void Write(params IReadOnlyList<TelemetryRow> rows) => Write([Block(rows)], rows.Count, [], []);

    public void Write(IReadOnlyList<RowBlock> blocks, long offsets, IReadOnlyList<DeadLetter> letters, IReadOnlyList<LogGap> gaps)
    {
        var store = Open();
        _lease ??= store.AcquirePartition("telemetry", 0, "collector-0/17");
        var result = store.Write([new PartitionWrite
        {
            Topic = "telemetry",
            Partition = 0,
            OwnerEpoch = _lease.OwnerEpoch,
            From = _next == 0 ? null : new LogPosition(_topicId, 1, _next),
            To = new LogPosition(_topicId, 1, _next + offsets),
            Rows = blocks,
            DeadLetters = letters,
            Gaps = gaps,
        }]);
        Assert.Empty(result.Fenced);
        _next += offsets;
    }

    /// <summary>Ends writing, so that nothing has the file open.</summary>
    public void Close()
    {
        _store?.Dispose();
        _store = null;
    }

    public void Dispose()
    {
        Close();
        _folder.Delete(recursive: true);
    }

    private static RowBlock Block(IReadOnlyList<TelemetryRow> rows)
    {
        var series = rows.Select(r => r.Gpu).Distinct().ToList();
        var metrics = rows.SelectMany(r => r.Metrics.Keys).Distinct().ToList();
        return new RowBlock
        {
            Times = rows.Select(r => r.Timestamp.ToUnixTimeMilliseconds()).ToArray(),
            SeriesOf = rows.Select(r => series.IndexOf(r.Gpu)).ToArray(),
            Series = series,
            Metrics = metrics,
            Values = [.. metrics.Select(m => (ReadOnlyMemory<double>)rows.Select(r => r.Metrics.TryGetValue(m, out var value) ? value : double.NaN).ToArray())],
            Count = rows.Count,
        };
    }
}
