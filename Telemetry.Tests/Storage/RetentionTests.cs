using CsCheck;
using Microsoft.Data.Sqlite;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

public sealed class RetentionTests
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    [Fact]
    public async Task Rows_leave_by_the_later_of_their_own_time_and_their_writing()
    {
        using var fixture = new StoreFixture(new TelemetryStoreOptions { BlockSmallRows = 0 });
        using var reader = fixture.Reader();
        var cancel = TestContext.Current.CancellationToken;
        fixture.Write(StoreFixture.Row(-90 * 86_400, "old_file")); // written now: kept
        fixture.Write(StoreFixture.Row(20 * 86_400, "future"));
        Remove(fixture);
        Assert.Equal(2, (await reader.HostsAsync(cancel)).Count);

        fixture.Time.Advance(Kept + TimeSpan.FromSeconds(1));
        Remove(fixture);
        Assert.Equal("future", Assert.Single(await reader.HostsAsync(cancel)).HostId);
        Assert.Equal("future", Assert.Single(await reader.LatestAsync(null, null, cancel)).Row.Gpu.HostId);
        Assert.Equal(1, (await reader.StateAsync(cancel)).Rows);

        fixture.Time.Advance(TimeSpan.FromDays(20));
        Remove(fixture);
        Assert.Empty(await reader.HostsAsync(cancel));
        Assert.Empty((await reader.RowsAsync(new RowQuery(), cancel)).Rows);
    }

    [Fact]
    public async Task A_row_that_comes_after_all_have_left_gets_a_new_number()
    {
        using var fixture = new StoreFixture();
        using var reader = fixture.Reader();
        var cancel = TestContext.Current.CancellationToken;
        fixture.Write(StoreFixture.Row(1), StoreFixture.Row(2));
        fixture.Time.Advance(Kept * 2);
        Remove(fixture);
        fixture.Write(StoreFixture.Row(3), StoreFixture.Row(4), StoreFixture.Row(5));
        Assert.Equal(3, (await reader.RowsAsync(new RowQuery(), cancel)).Total);
        using var connection = new SqliteConnection($"Data Source={fixture.DatabasePath};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT min(row_id) FROM sample";
        Assert.Equal(3L, command.ExecuteScalar());
    }

    [Fact]
    public async Task What_stays_answers_as_if_the_others_had_never_been() =>
        await Gen.Select(Gen.Select(Gen.Int[0, 4], Gen.Int[0, 3], Gen.Int[0, 40]).Array[1, 6].Array[1, 10], Gen.Int[1, 8], Gen.Int[0, 10], Gen.Int[0, 50])
            .SampleAsync(async (batches, blockRows, smallRows, age) =>
            {
                using var fixture = new StoreFixture(new TelemetryStoreOptions { BlockRowsMax = blockRows, BlockSmallRows = smallRows });
                var rows = new List<ModelRow>();
                foreach (var batch in batches)
                {
                    rows.AddRange(batch.Select(r => StoreFixture.Row(r.Item3, $"h{r.Item1}", $"{r.Item2}")));
                    fixture.Write([.. rows[^batch.Length..]]);
                    fixture.Time.Advance(TimeSpan.FromSeconds(4));
                }
                Fold(fixture);
                while (fixture.Store.Retain(Before(StoreFixture.Epoch.AddSeconds(age))).HasMore)
                {
                }
                await CompareAsync(fixture, rows);
            }, iter: 100, threads: 1);

    private static async Task CompareAsync(StoreFixture fixture, List<ModelRow> rows)
    {
        using var reader = fixture.Reader();
        var cancel = TestContext.Current.CancellationToken;
        var page = await reader.RowsAsync(new RowQuery { Limit = 1_000 }, cancel);
        var kept = page.Rows.Select(r => (r.Timestamp, r.Gpu)).ToList();
        Assert.Equal(kept.Count, page.Total);
        Assert.Subset(rows.Select(r => (DateTimeOffset.FromUnixTimeMilliseconds(r.Time), r.Gpu)).ToHashSet(), kept.ToHashSet());
        var newest = kept.GroupBy(r => (r.Gpu.HostId, r.Gpu.GpuId)).OrderBy(g => g.Key).Select(g => (g.Key, g.Max(r => r.Timestamp)));
        Assert.Equal(newest, (await reader.LatestAsync(null, null, cancel)).Select(l => ((l.Row.Gpu.HostId, l.Row.Gpu.GpuId), l.Row.Timestamp)));
        foreach (var host in kept.GroupBy(r => r.Gpu.HostId))
            Assert.Equal(host.Count(), (await reader.RowsAsync(new RowQuery { HostId = host.Key }, cancel)).Total);
    }

    [Fact]
    public async Task Gaps_and_dead_letters_leave_by_their_age()
    {
        using var fixture = new StoreFixture();
        using var reader = fixture.Reader();
        var lease = fixture.Store.AcquirePartition("telemetry", 0, "test");
        fixture.Store.Write([StoreFixture.Part(lease, null, fixture.To(3)) with
        {
            DeadLetters = [new DeadLetter(Guid.Empty, 1, 0, 1, "undecodable", "", new byte[10])],
            Gaps = [new LogGap(Guid.Empty, 1, 0, 3, "expired")],
        }]);
        fixture.Store.Retain(new RetentionCutoffs(default, default, StoreFixture.Epoch));
        var state = await reader.StateAsync(TestContext.Current.CancellationToken);
        Assert.Equal((1, 1), (state.Gaps.Count, state.DeadLetters.Count));
        fixture.Store.Retain(new RetentionCutoffs(default, default, StoreFixture.Epoch.AddMilliseconds(1)));
        state = await reader.StateAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, 0), (state.Gaps.Count, state.DeadLetters.Count));
    }

    [Fact]
    public void Pages_that_stay_free_go_back_to_the_disk()
    {
        using var fixture = new StoreFixture();
        for (var i = 0; i < 30; i++)
            fixture.Write([.. Enumerable.Range(0, 20_000).Select(r => StoreFixture.Row(r, metric: "power_w", value: r + 0.1))]);
        fixture.Time.Advance(Kept * 2);
        Remove(fixture);
        fixture.Reopen();
        Assert.True(new FileInfo(fixture.DatabasePath).Length < 16_000_000, $"{new FileInfo(fixture.DatabasePath).Length} bytes");
    }

    private static void Remove(StoreFixture fixture)
    {
        Fold(fixture);
        while (fixture.Store.Retain(Before(fixture.Time.GetUtcNow() - Kept)).HasMore)
        {
        }
    }

    private static void Fold(StoreFixture fixture)
    {
        while (fixture.Store.Fold(TimeSpan.Zero).Rows > 0)
        {
        }
        while (fixture.Store.Merge(TimeSpan.FromHours(-1)).HasMore) // the hour that is not over, too
        {
        }
    }

    private static RetentionCutoffs Before(DateTimeOffset time) => new(time, time, time);
}
