using Telemetry.Storage;
using Telemetry.Storage.Files;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

public sealed class WrittenRowsTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_come_in_the_order_of_writing_some_at_a_time_and_folding_changes_nothing()
    {
        // Times that go back, and transactions of different sizes.
        for (var i = 0; i < 30; i++)
            _fixture.Write([.. Enumerable.Range(0, 1 + (i % 4)).Select(j => StoreFixture.Row(-i, i % 2 == 0 ? "a" : "b", value: (i * 10) + j))]);
        var expected = Enumerable.Range(0, 30).SelectMany(i => Enumerable.Range(0, 1 + (i % 4)).Select(j => (double)((i * 10) + j))).ToList();
        Assert.Equal(expected, await ReadAsync(StorePosition.Start, 7));
        _fixture.Store.Fold(TimeSpan.Zero);
        Assert.Equal(expected, await ReadAsync(StorePosition.Start, 1_000));
    }

    [Fact]
    public async Task The_end_is_a_position_after_which_nothing_has_come_yet()
    {
        using var reader = _fixture.Reader();
        var empty = (await reader.WrittenAsync(null, 10, Cancelled))!;
        Assert.Equal((StorePosition.Start, false, true, 0), (empty.Next, empty.HasMore, empty.Continues, empty.Rows.Count));
        _fixture.Write(StoreFixture.Row(1), StoreFixture.Row(2));
        var end = (await reader.WrittenAsync(null, 10, Cancelled))!.Next;
        Assert.Equal(2, end.Row);
        Assert.Equal(end, (await reader.WrittenAsync(end, 10, Cancelled))!.Next);
        _fixture.Write(StoreFixture.Row(3, value: 7));
        Assert.Equal([7], await ReadAsync(end, 10));
        using var none = new TelemetryReader(_fixture.DatabasePath + ".none");
        Assert.Null(await none.WrittenAsync(end, 10, Cancelled));
    }

    [Fact]
    public async Task A_position_is_kept_by_a_backup_and_told_from_the_same_number_in_what_is_written_after_it()
    {
        using var reader = _fixture.Reader();
        _fixture.Write(StoreFixture.Row(1));
        var before = (await reader.WrittenAsync(null, 1, Cancelled))!.Next;
        var copy = Path.Combine(_fixture.Folder, "copy.db");
        Backup.Run(_fixture.DatabasePath, copy, Cancelled);
        _fixture.Write(StoreFixture.Row(2, "lost"));
        var after = (await reader.WrittenAsync(null, 1, Cancelled))!.Next;

        // The backup goes on with another record under the same number.
        using (var store = TelemetryStore.Open(copy, new TelemetryStoreOptions { Time = _fixture.Time }))
        {
            var lease = store.AcquirePartition("telemetry", 0, "test");
            store.Write([StoreFixture.Part(lease, _fixture.To(1), _fixture.To(2), StoreFixture.Row(3, "other", value: 9))]);
        }
        using var restored = new TelemetryReader(copy);
        Assert.Equal(2, (await restored.WrittenAsync(null, 1, Cancelled))!.Next.Row);
        Assert.Equal(9, Assert.Single((await restored.WrittenAsync(before, 10, Cancelled))!.Rows).Metrics["power_w"]);
        var elsewhere = (await restored.WrittenAsync(after, 10, Cancelled))!;
        Assert.Equal((false, 0), (elsewhere.Continues, elsewhere.Rows.Count));
    }

    [Fact]
    public async Task A_position_continues_while_nothing_after_it_has_left()
    {
        using var reader = _fixture.Reader();
        _fixture.Write(StoreFixture.Row(1));
        var first = (await reader.WrittenAsync(null, 1, Cancelled))!.Next;
        _fixture.Write(StoreFixture.Row(2));
        var second = (await reader.WrittenAsync(null, 1, Cancelled))!.Next;
        _fixture.Store.Fold(TimeSpan.Zero);
        _fixture.Time.Advance(TimeSpan.FromHours(1));
        while (_fixture.Store.Retain(new RetentionCutoffs(_fixture.Time.GetUtcNow(), StoreFixture.Epoch.AddDays(-1), StoreFixture.Epoch.AddDays(-1))).HasMore)
        {
        }
        Assert.False((await reader.WrittenAsync(first, 10, Cancelled))!.Continues);
        Assert.True((await reader.WrittenAsync(second, 10, Cancelled))!.Continues);
        _fixture.Write(StoreFixture.Row(4000, value: 5));
        Assert.Equal([5], await ReadAsync(second, 10));
    }

    [Theory]
    [InlineData("0-0", true)]
    [InlineData("17-9a1f03c7", true)]
    [InlineData("17", false)]
    [InlineData("-1-0", false)]
    [InlineData("17-", false)]
    [InlineData("17-123456789", false)]
    [InlineData(" 17-1", false)]
    [InlineData("99999999999999999999-1", false)]
    public void A_position_is_a_text_that_reads_back(string text, bool expected)
    {
        Assert.Equal(expected, StorePosition.TryParse(text, out var position));
        if (expected)
            Assert.Equal(text, position.ToString());
    }

    private async Task<List<double>> ReadAsync(StorePosition after, int limit)
    {
        using var reader = _fixture.Reader();
        var values = new List<double>();
        for (var hasMore = true; hasMore;)
        {
            var written = (await reader.WrittenAsync(after, limit, Cancelled))!;
            Assert.True(written.Continues);
            values.AddRange(written.Rows.Select(r => r.Metrics["power_w"]));
            (after, hasMore) = (written.Next, written.HasMore);
        }
        return values;
    }

    public void Dispose() => _fixture.Dispose();
}
