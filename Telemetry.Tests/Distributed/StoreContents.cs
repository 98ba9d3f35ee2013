using Microsoft.Data.Sqlite;
using Telemetry.Storage;
using Telemetry.Storage.Queries;
using Telemetry.Storage.Verifying;

namespace Telemetry.Tests.Distributed;

/// <summary>What a database has, and whether that is what its source has.</summary>
internal static class StoreContents
{
    public static async Task<long> RowsAsync(string databasePath, CancellationToken cancellationToken)
    {
        using var reader = new TelemetryReader(databasePath);
        return reader.IsReady ? (await reader.StateAsync(cancellationToken)).Rows : 0;
    }

    /// <summary>The gaps, each as a line.</summary>
    public static async Task<IReadOnlyList<string>> GapsAsync(string databasePath, CancellationToken cancellationToken)
    {
        using var reader = new TelemetryReader(databasePath);
        return [.. (await reader.StateAsync(cancellationToken)).Gaps.Select(gap => $"{gap.Topic}/{gap.Partition} {gap.FromOffset}-{gap.ToOffset}: {gap.Reason}")];
    }

    /// <summary>Each value of the source is there once, and nothing is known to be missing.</summary>
    public static async Task AssertEachOnceAsync(string databasePath, StraightReading.Result expected)
    {
        Assert.Empty(await GapsAsync(databasePath, TestContext.Current.CancellationToken));
        Assert.Equal(expected.Records, await RowsAsync(databasePath, TestContext.Current.CancellationToken));
        AssertEqual(expected.Totals, Totals(databasePath, expected.Totals.Keys.Select(key => key.Metric).Distinct()));

        // As far as it was folded when all stopped, then folded, and then merged.
        AssertEqual(expected.Totals, await AnswersAsync(databasePath));
        using var store = TelemetryStore.Open(databasePath);
        while (store.Fold(TimeSpan.Zero).Rows > 0)
        {
        }
        AssertEqual(expected.Totals, await AnswersAsync(databasePath));
        while (store.Merge(TimeSpan.Zero).HasMore)
        {
        }
        AssertEqual(expected.Totals, await AnswersAsync(databasePath));
        Assert.Equal(expected.Records, await RowsAsync(databasePath, TestContext.Current.CancellationToken));
        Assert.Empty(Verification.Run(databasePath, TestContext.Current.CancellationToken).SelectMany(check => check.Findings));
    }

    /// <summary>What queries answer: in one range that roll-ups give, and in two that cut a minute in two and are put together.</summary>
    private static async Task<Dictionary<(string Host, string Gpu, string Metric), Totals>> AnswersAsync(string databasePath)
    {
        using var reader = new TelemetryReader(databasePath);
        var cancel = TestContext.Current.CancellationToken;
        async Task<Dictionary<(string, string, string), Totals>> InAsync(DateTimeOffset start, DateTimeOffset end) =>
            (await reader.AggregateAsync(new TimeRange(start, end), GroupBy.GpuId, null, null, null, cancel))
                .SelectMany(g => g.Metrics.Select(m => (Key: (g.HostId, g.GpuId!, m.Metric), Totals: new Totals(m.Count, m.Sum, m.Min, m.Max))))
                .ToDictionary(t => t.Key, t => t.Totals);
        var all = await InAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        var hosts = await reader.HostsAsync(cancel);
        var middle = hosts.Min(h => h.FirstSeen) + ((hosts.Max(h => h.LastSeen) - hosts.Min(h => h.FirstSeen)) / 3);
        var parts = await InAsync(DateTimeOffset.MinValue, middle);
        foreach (var (key, later) in await InAsync(middle, DateTimeOffset.MaxValue))
        {
            parts[key] = parts.TryGetValue(key, out var earlier)
                ? new Totals(earlier.Count + later.Count, earlier.Sum + later.Sum, Math.Min(earlier.Min, later.Min), Math.Max(earlier.Max, later.Max))
                : later;
        }
        AssertEqual(all, parts);
        return all;
    }

    /// <summary>Equal counts, minima and maxima; sums but for the rounding of another order of addition.</summary>
    public static void AssertEqual(IReadOnlyDictionary<(string Host, string Gpu, string Metric), Totals> expected, Dictionary<(string Host, string Gpu, string Metric), Totals> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (key, totals) in expected)
        {
            Assert.True(actual.TryGetValue(key, out var stored), $"{key} is missing");
            Assert.True(
                totals.Count == stored.Count && totals.Min.Equals(stored.Min) && totals.Max.Equals(stored.Max)
                && Math.Abs(totals.Sum - stored.Sum) <= 1e-9 * Math.Max(1, Math.Abs(totals.Sum)),
                $"{key}: expected {totals}, found {stored}");
        }
    }

    /// <summary>Per GPU and metric, by plain SQL on what a person would query.</summary>
    private static Dictionary<(string Host, string Gpu, string Metric), Totals> Totals(string databasePath, IEnumerable<string> metrics)
    {
        using var connection = new SqliteConnection($"Data Source={databasePath};Mode=ReadOnly");
        connection.Open();
        var totals = new Dictionary<(string, string, string), Totals>();
        foreach (var metric in metrics)
        {
            using var command = connection.CreateCommand();
            command.CommandText =
                $"SELECT host_id, gpu_id, count({metric}), sum({metric}), min({metric}), max({metric}) FROM telemetry GROUP BY host_id, gpu_id HAVING count({metric}) > 0";
            using var rows = command.ExecuteReader();
            while (rows.Read())
                totals[(rows.GetString(0), rows.GetString(1), metric)] = new(rows.GetInt64(2), rows.GetDouble(3), rows.GetDouble(4), rows.GetDouble(5));
        }
        return totals;
    }
}
