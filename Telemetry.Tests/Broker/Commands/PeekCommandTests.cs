using Google.Protobuf;
using Telemetry.Broker.Commands;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Commands;

public sealed class PeekCommandTests
{
    [Fact]
    public async Task Records_are_shown_with_offset_times_gpu_and_metrics()
    {
        await using var broker = await CommandRuns.StartAsync();
        await broker.PublishAsync(1200);
        await broker.PublishAsync(
            CommandRuns.Sample(1, values: [new("power_w", 71.25), new("temperature_c", 40)]),
            CommandRuns.Sample(2, "node-22", new MetricValue("power_w", 1234567)));
        Assert.Equal(
            """
            topic 'telemetry', partition 0: offsets 0 to 1,202

            offset  appended              timestamp             host     gpu  metrics
             1,200  2026-01-02T03:04:05Z  2026-01-02T00:00:01Z  node-1   7    power_w=71.25 temperature_c=40
             1,201  2026-01-02T03:04:05Z  2026-01-02T00:00:02Z  node-22  7    power_w=1234567
            """,
            (await broker.RunAsync("peek", "telemetry", "--partition", "0", "--offset", "1200")).Text);
        var answer = (await broker.RunAsync("peek", "telemetry", "--partition", "0", "--offset", "1201", "-o", "json")).Json;
        Assert.Equal((0, 1202), (answer.GetProperty("log_start_offset").GetInt64(), answer.GetProperty("high_watermark").GetInt64()));
        var record = answer.GetProperty("records")[0];
        Assert.Equal((1201, "2026-01-02T03:04:05Z", "2026-01-02T00:00:02Z", "node-22", 1234567.0), (
            record.GetProperty("offset").GetInt64(),
            record.GetProperty("appended_at").GetString(),
            record.GetProperty("timestamp").GetString(),
            record.GetProperty("host_id").GetString(),
            record.GetProperty("metrics").GetProperty("power_w").GetDouble()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, record.GetProperty("uuid").ValueKind);
    }

    [Fact]
    public async Task A_batch_that_cannot_be_decoded_is_named_and_the_others_are_shown()
    {
        await using var broker = await CommandRuns.StartAsync();
        await broker.PublishAsync(CommandRuns.Sample(1));
        await broker.PublishAsync(20);
        await broker.PublishAsync(CommandRuns.Sample(2));
        string[] peek = ["peek", "telemetry", "--partition", "0", "--address", broker.Address.Authority];
        var lines = (await CommandRun.OfAsync(peek)).Text.Split('\n');
        Assert.Equal(["     0", "     1", "    21"], lines[3..].Select(line => line[..6]));
        Assert.EndsWith("20 records, 3 bytes: cannot be decoded: 3 bytes are no record batch: they do not begin with its header", lines[4], StringComparison.Ordinal);
        Assert.Contains("\e[31m20 records", (await CommandRun.OfAsync(peek, colours: true)).Out, StringComparison.Ordinal);
        var answer = (await broker.RunAsync("peek", "telemetry", "--partition", "0", "-o", "json")).Json;
        Assert.Equal([0, 21], answer.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("offset").GetInt64()));
        var unreadable = Assert.Single(answer.GetProperty("unreadable").EnumerateArray());
        Assert.Equal((1, 21), (unreadable.GetProperty("from_offset").GetInt64(), unreadable.GetProperty("to_offset").GetInt64()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(250)]
    [InlineData(100_000)]
    public async Task A_peek_shows_as_many_records_as_were_asked_for(int count)
    {
        await using var broker = await CommandRuns.StartAsync();
        for (var i = 0; i < 120; i++)
            await broker.PublishAsync(CommandRuns.Sample(i), CommandRuns.Sample(i));
        var answer = (await broker.RunAsync("peek", "telemetry", "--partition", "0", "--offset", "1", "--count", $"{count}", "-o", "json")).Json;
        Assert.Equal(
            Enumerable.Range(1, Math.Min(239, count)).Select(offset => (long)offset),
            answer.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("offset").GetInt64()));
    }

    [Fact]
    public async Task A_peek_says_where_the_log_begins_and_ends()
    {
        await using var broker = await CommandRuns.StartAsync();
        await broker.PublishAsync(CommandRuns.Sample(1), CommandRuns.Sample(2));
        Assert.Contains("offset 9 is beyond the end", (await broker.RunAsync("peek", "telemetry", "--partition", "0", "--offset", "9")).Text, StringComparison.Ordinal);
        Assert.Contains("there are no records", (await broker.RunAsync("peek", "telemetry", "--partition", "1")).Text, StringComparison.Ordinal);
        Assert.Equal("broker: topic 'other' is not known", (await broker.RunAsync("peek", "other", "--partition", "0")).Refusal(1));
        var refused = (await broker.RunAsync("peek", "telemetry", "--partition", "2")).Refusal(1);
        Assert.Contains("'telemetry'", refused, StringComparison.Ordinal);
        Assert.Contains("2", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hole_in_the_log_is_seen_and_read_past()
    {
        var page = new PeekPage(0, 10);
        Assert.True(page.TryAdd(Response(start: 5, high: 60, Batch(10, 1))));
        Assert.Equal(11, page.NextOffset);
        Assert.True(page.TryAdd(Response(start: 5, high: 60, Batch(20, 1), Batch(21, 1))));
        Assert.False(page.TryAdd(Response(start: 5, high: 60)));
        Assert.Equal([(5, 10), (11, 20), (22, 60)], page.Unreadable.Select(hole => (hole.FromOffset, hole.ToOffset)));
        Assert.Equal([10, 20, 21], page.Records.Select(record => record.Offset));
    }

    [Fact]
    public void A_batch_that_has_other_records_than_the_log_says_is_not_shown()
    {
        var page = new PeekPage(0, 10);
        var batch = Batch(0, 2);
        batch.RecordCount = 3;
        Assert.False(page.TryAdd(Response(start: 0, high: 3, batch)));
        Assert.Contains("2 records, where the log has 3", Assert.Single(page.Unreadable).Reason, StringComparison.Ordinal);
        Assert.Empty(page.Records);
    }

    [Fact]
    public void A_broker_that_repeats_itself_is_not_asked_for_ever()
    {
        var page = new PeekPage(0, 10);
        Assert.True(page.TryAdd(Response(start: 0, high: 60, Batch(0, 1))));
        Assert.False(page.TryAdd(Response(start: 0, high: 60, Batch(0, 1))));
        Assert.Single(page.Records);
    }

    private static PeekResponse Response(long start, long high, params FetchedBatch[] batches) =>
        new() { LogStartOffset = start, HighWatermark = high, Batches = { batches } };

    private static FetchedBatch Batch(long baseOffset, int records)
    {
        var builder = new RecordBatchBuilder();
        for (var i = 0; i < records; i++)
            builder.Add(CommandRuns.Sample(i));
        return new FetchedBatch { BaseOffset = baseOffset, RecordCount = records, Batch = ByteString.CopyFrom(builder.Build().Span) };
    }
}
