namespace Telemetry.Storage.Queries;

/// <summary>The series of a host, a GPU index or both, with the bounds within which their rows lie.</summary>
internal sealed class SeriesFilter
{
    private SeriesFilter(string clause, bool isEmpty, long minTime, long maxTime, long lastRow) =>
        (Clause, IsEmpty, MinTime, MaxTime, LastRow) = (clause, isEmpty, minTime, maxTime, lastRow);

    /// <summary>Every series.</summary>
    public static readonly SeriesFilter All = new("", false, long.MinValue, long.MaxValue, long.MaxValue);

    /// <summary><c>AND gpu IN (…)</c>; empty for all.</summary>
    public string Clause { get; }

    /// <summary>Whether no series matches.</summary>
    public bool IsEmpty { get; }

    /// <summary>No row is earlier.</summary>
    public long MinTime { get; }

    /// <summary>No row is later.</summary>
    public long MaxTime { get; }

    /// <summary>No row was written after this one.</summary>
    public long LastRow { get; }

    public static SeriesFilter Of(Snapshot snapshot, string? hostId, string? gpuId)
    {
        if (hostId is null && gpuId is null)
            return All;
        using var select = snapshot.Database.Prepare($"""
            SELECT l.gpu, l.first_time, l.time, l.last_row FROM gpu AS g JOIN latest AS l ON l.gpu = g.id
            WHERE {Where(hostId, gpuId)} ORDER BY l.gpu
            """);
        BindWhere(select, hostId, gpuId);
        var series = new List<long>();
        var (minTime, maxTime, lastRow) = (long.MaxValue, long.MinValue, 0L);
        while (select.Step())
        {
            series.Add(select.Long(0));
            minTime = Math.Min(minTime, select.Long(1));
            maxTime = Math.Max(maxTime, select.Long(2));
            lastRow = Math.Max(lastRow, select.Long(3));
        }
        return new SeriesFilter($" AND gpu IN ({string.Join(',', series)})", series.Count == 0, minTime, maxTime, lastRow);
    }

    /// <summary>The condition on <c>gpu AS g</c> with ?1 for the host and ?2 for the GPU.</summary>
    public static string Where(string? hostId, string? gpuId) => (hostId, gpuId) switch
    {
        (null, null) => "1",
        (_, null) => "g.host_id = ?1",
        (null, _) => "g.gpu_id = ?2",
        _ => "g.host_id = ?1 AND g.gpu_id = ?2",
    };

    public static void BindWhere(Sqlite.Statement statement, string? hostId, string? gpuId)
    {
        if (hostId is not null)
            statement.Bind(1, hostId);
        if (gpuId is not null)
            statement.Bind(2, gpuId);
    }
}
