namespace Telemetry.Tests.Broker.Commands;

public sealed class TopicCommandsTests
{
    [Fact]
    public async Task A_topic_is_created_listed_described_and_deleted()
    {
        await using var broker = await CommandRuns.StartAsync();
        Assert.Equal("there are no topics", (await broker.RunAsync("topics", "list")).Text);
        Assert.Equal("created topic 'telemetry' with 2 partitions", (await broker.RunAsync("topics", "create", "telemetry")).Text);
        Assert.Equal("created topic 'other' with 1 partition", (await broker.RunAsync("topics", "create", "other", "--partitions", "1")).Text);
        await broker.PublishAsync(1234);
        await broker.PublishAsync(5, partition: 1, batch: new byte[1000]);
        var bytes = broker.Core.Topics.Get("telemetry").Partitions.Select(partition => partition.Bytes).ToArray();
        Assert.Equal(
            $"""
            topic      partitions  records  bytes  records/s  last append           expired unread
            other               1        0      0        0.0  -                                  0
            telemetry           2    1,239  {bytes.Sum(),5:N0}    1,239.0  2026-01-02T03:04:05Z               0
            """,
            (await broker.RunAsync("topics", "list")).Text);

        var id = Convert.ToHexStringLower(broker.Core.Topics.Get("telemetry").Id.ToByteArray(bigEndian: true));
        Assert.Equal(
            $"""
            topic    telemetry
            id       {id}
            created  2026-01-02T03:04:05Z

            partition  log start  high watermark  records  bytes  records/s  last append           expired unread  log epoch
                    0          0           1,234    1,234  {bytes[0],5:N0}    1,234.0  2026-01-02T03:04:05Z               0          1
                    1          0               5        5  {bytes[1],5:N0}        5.0  2026-01-02T03:04:05Z               0          1
            """,
            (await broker.RunAsync("topics", "describe", "telemetry")).Text);

        await (await broker.JoinAsync()).LeaveAsync();
        Assert.Equal(
            """
            deleted topic 'telemetry' with 2 partitions and 1,239 records
            deleted group 'collectors' with it
            """,
            (await broker.RunAsync("topics", "delete", "telemetry")).Text);
        Assert.Null(broker.Core.Topics.Find("telemetry"));
    }

    [Fact]
    public async Task Answers_for_programs_are_one_document_with_plain_numbers()
    {
        await using var broker = await CommandRuns.StartAsync(partitions: 1);
        var created = (await broker.RunAsync("topics", "create", "telemetry", "-o", "json")).Json;
        Assert.Equal("2026-01-02T03:04:05Z", created.GetProperty("created_at").GetString());
        await broker.PublishAsync(1234);
        var topic = (await broker.RunAsync("topics", "describe", "telemetry", "-o", "json")).Json;
        Assert.Equal(created.GetProperty("topic_id").GetString(), topic.GetProperty("topic_id").GetString());
        Assert.Equal(
            $$"""{"partition":0,"log_epoch":1,"log_start_offset":0,"high_watermark":1234,"log_end_offset":1234,"records":1234,"bytes":{{broker.Core.Topics.Get("telemetry").Partitions[0].Bytes}},"appended_per_second":1234,"last_append_at":"2026-01-02T03:04:05Z","expired_unread":0}""",
            System.Text.Json.Nodes.JsonNode.Parse(topic.GetProperty("partitions")[0].GetRawText())!.ToJsonString());
        var listed = (await broker.RunAsync("topics", "list", "--output", "json")).Json.GetProperty("topics");
        Assert.Equal(topic.GetRawText().Replace(" ", "", StringComparison.Ordinal), listed[0].GetRawText().Replace(" ", "", StringComparison.Ordinal));

        await (await broker.JoinAsync()).LeaveAsync();
        var deleted = (await broker.RunAsync("topics", "delete", "telemetry", "-o", "json")).Json;
        Assert.True(deleted.GetProperty("deleted").GetBoolean());
        Assert.Equal(("telemetry", 1234, "collectors"), (
            deleted.GetProperty("topic").GetString(), deleted.GetProperty("records").GetInt64(), deleted.GetProperty("groups")[0].GetString()));
        Assert.Equal(0, (await broker.RunAsync("topics", "list", "-o", "json")).Json.GetProperty("topics").GetArrayLength());
    }

    [Fact]
    public async Task Records_that_expired_unread_are_seen_and_where_there_are_colours_are_red()
    {
        var time = new JumpingTime();
        await using var broker = await RunningBroker.StartAsync(new() { MaxPartitions = 1, MessageTtl = TimeSpan.FromSeconds(1) }, time);
        await (await broker.JoinAsync()).LeaveAsync();
        await broker.PublishAsync(7);
        time.Advance(TimeSpan.FromSeconds(2));
        broker.Core.Tick();
        var plain = await broker.RunAsync("topics", "describe", "telemetry", "-o", "table");
        var coloured = await CommandRun.OfAsync(["topics", "describe", "telemetry", "--address", broker.Address.Authority], colours: true);
        Assert.DoesNotContain('\e', plain.Out);
        Assert.Contains("\e[31m7\e[0m", coloured.Out, StringComparison.Ordinal);
        Assert.Equal(plain.Out, coloured.Out.Replace("\e[31m", "", StringComparison.Ordinal).Replace("\e[2m", "", StringComparison.Ordinal).Replace("\e[0m", "", StringComparison.Ordinal));
        Assert.Equal(7, (await broker.RunAsync("topics", "list", "-o", "json")).Json.GetProperty("topics")[0].GetProperty("partitions")[0].GetProperty("expired_unread").GetInt64());
    }

    [Fact]
    public async Task A_topic_gets_more_partitions_and_never_fewer()
    {
        await using var broker = await CommandRuns.StartAsync();
        await broker.RunAsync("topics", "create", "telemetry");
        Assert.Equal("topic 'telemetry' has 3 partitions now", (await broker.RunAsync("topics", "add-partitions", "telemetry", "--partitions", "3")).Text);
        Assert.Equal(4, (await broker.RunAsync("topics", "add-partitions", "telemetry", "--partitions", "4", "-o", "json")).Json.GetProperty("partitions").GetArrayLength());
        foreach (var partitions in (string[])["4", "1"])
        {
            Assert.Equal(
                $"broker: partitions: {partitions} is not accepted: topic 'telemetry' has 4; expected 5 to 1024",
                (await broker.RunAsync("topics", "add-partitions", "telemetry", "--partitions", partitions)).Refusal(1));
        }
        Assert.Equal(4, broker.Core.Topics.Get("telemetry").Partitions.Count);
        Assert.Equal("broker: topic 'other' is not known", (await broker.RunAsync("topics", "add-partitions", "other", "--partitions", "5")).Refusal(1));
    }

    [Theory]
    [InlineData("describe", "broker: topic 'telemetry' is not known")]
    [InlineData("delete", "broker: topic 'telemetry' is not known")]
    public async Task A_topic_that_is_not_there_is_named(string command, string line)
    {
        await using var broker = await CommandRuns.StartAsync();
        Assert.Equal(line, (await broker.RunAsync("topics", command, "telemetry")).Refusal(1));
    }

    [Fact]
    public async Task A_topic_is_not_created_twice()
    {
        await using var broker = await CommandRuns.StartAsync();
        await broker.RunAsync("topics", "create", "telemetry");
        Assert.Contains("'telemetry'", (await broker.RunAsync("topics", "create", "telemetry")).Refusal(1), StringComparison.Ordinal);
    }
}
