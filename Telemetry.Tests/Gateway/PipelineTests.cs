using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Gateway;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage;

namespace Telemetry.Tests.Gateway;

public sealed class PipelineTests
{
    private const string Route = "/api/v1/pipeline";
    private static readonly DateTimeOffset Time = FleetFixture.Now;

    /// <summary>For an answer that is awaited: the first call of a busy process may take seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Without_a_queue_there_is_no_section_of_it()
    {
        using var file = FileWithHistory();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });

        var answer = await server.GetAsync(Route);
        Assert.False(answer.TryGetProperty("queue", out _));
        var store = answer.GetProperty("store");
        Assert.Equal("ready", store.GetProperty("state").GetString());
        Assert.Equal(1, store.GetProperty("rows").GetInt64());
        Assert.True(store.GetProperty("database_bytes").GetInt64() > 4096);
        Assert.Equal("null", store.GetProperty("lag_records").GetRawText());
        Assert.Equal(
            """[{"topic":"telemetry","partition":0,"log_epoch":1,"next_offset":8,"lag_records":null,"owner":"collector-0/17","owner_epoch":1,"updated_at":"2025-07-18T21:00:00Z"}]""",
            store.GetProperty("checkpoints").GetRawText());
        Assert.Equal(
            """[{"topic":"telemetry","partition":0,"log_epoch":1,"from_offset":5,"to_offset":8,"reason":"expired","detected_at":"2025-07-18T21:00:00Z"}]""",
            store.GetProperty("gaps").GetRawText());
        Assert.Equal(
            """[{"reason":"undecodable","records":4,"newest_at":"2025-07-18T21:00:00Z"}]""", store.GetProperty("dead_letters").GetRawText());
    }

    [Fact]
    public async Task Topics_groups_and_the_lag_of_the_store_are_shown()
    {
        using var file = FileWithHistory();
        await using var queue = await FakeQueue.StartAsync();
        Describe(queue, file.TopicId);
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address, QueueTimeout = Patience });

        var answer = await server.GetAsync(Route);
        Assert.Equal(
            """{"reachable":true,"reason":null,"topics":[{"topic":"telemetry","created_at":"2025-07-18T20:00:00Z","records":16,"bytes":900,"appended_per_second":2.5,"partitions":[{"partition":0,"log_epoch":1,"log_start_offset":4,"high_watermark":20,"log_end_offset":21,"bytes":900,"appended_per_second":2.5,"last_append_at":"2025-07-18T21:00:00Z","expired_unread":3},{"partition":1,"log_epoch":1,"log_start_offset":0,"high_watermark":0,"log_end_offset":0,"bytes":0,"appended_per_second":0,"last_append_at":null,"expired_unread":0}]}],"groups":[{"group":"collectors","topic":"telemetry","divides_input":false,"paused":true,"generation":4,"lag_records":12,"lag_seconds":1.5,"members":[{"member_id":"m-1","client":"collector-0/17","joined_at":"2025-07-18T20:00:00Z"}],"shards":[{"shard":0,"member_id":"m-1","committed_offset":8,"committed_at":"2025-07-18T21:00:00Z","lag_records":12,"lag_seconds":1.5,"gap_records":3},{"shard":1,"member_id":null,"committed_offset":null,"committed_at":null,"lag_records":0,"lag_seconds":0,"gap_records":0}]}]}""",
            answer.GetProperty("queue").GetRawText());
        Assert.Equal(12, answer.GetProperty("store").GetProperty("lag_records").GetInt64());
        Assert.Equal(12, answer.GetProperty("store").GetProperty("checkpoints")[0].GetProperty("lag_records").GetInt64());
    }

    [Fact]
    public async Task Offsets_of_another_log_make_no_lag()
    {
        using var file = FileWithHistory();
        await using var queue = await FakeQueue.StartAsync();
        Describe(queue, Guid.NewGuid());
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address, QueueTimeout = Patience });

        var store = (await server.GetAsync(Route)).GetProperty("store");
        Assert.Equal("null", store.GetProperty("checkpoints")[0].GetProperty("lag_records").GetRawText());
    }

    [Fact]
    public async Task A_queue_that_is_not_there_is_said_so_and_the_rest_is_answered()
    {
        using var file = FileWithHistory();
        var queue = await FakeQueue.StartAsync();
        var address = queue.Address;
        await queue.DisposeAsync();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, MessageQueueAddress = address, QueueTimeout = Patience });

        var answer = await server.GetAsync(Route);
        Assert.Equal(
            """{"reachable":false,"reason":"nothing answers at the queue's address","topics":[],"groups":[]}""", answer.GetProperty("queue").GetRawText());
        Assert.Equal(1, answer.GetProperty("store").GetProperty("rows").GetInt64());
        Assert.Equal("null", answer.GetProperty("store").GetProperty("lag_records").GetRawText());
    }

    [Fact]
    public async Task A_queue_that_hangs_is_not_waited_for()
    {
        using var file = FileWithHistory();
        await using var queue = await FakeQueue.StartAsync();
        queue.Hangs = true;
        await using var server = await GatewayServer.StartAsync(
            new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address, QueueTimeout = TimeSpan.FromMilliseconds(100) });

        var section = (await server.GetAsync(Route)).GetProperty("queue");
        Assert.Equal("the queue did not answer within 0.1 s", section.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task What_the_queue_says_of_its_insides_is_not_repeated()
    {
        using var file = FileWithHistory();
        await using var queue = await FakeQueue.StartAsync();
        queue.Fails = new Status(StatusCode.Internal, "/var/lib/queue: NullReferenceException");
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address, QueueTimeout = Patience });

        var section = (await server.GetAsync(Route)).GetProperty("queue");
        Assert.Equal("the queue answered with Internal", section.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task How_far_behind_groups_were_is_told_in_steps_with_rates()
    {
        using var file = FileWithHistory();
        await using var queue = await FakeQueue.StartAsync();
        Describe(queue, file.TopicId);
        queue.Groups.Groups.Add(new GroupDescription { Group = "input/telemetry/1", Topic = "telemetry", DividesInput = true });
        await using var server = await GatewayServer.StartAsync(
            new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address, QueueTimeout = Patience }, new FakeTimeProvider(Time));

        var answer = await server.GetAsync($"{Route}/history?time_range=6h&group=collectors");
        Assert.Equal(("collectors", 6 * 3_600_000, 60_000), queue.Asked.Select(asked => (asked.Group, asked.LagHistoryMs, asked.LagStepMs)).Single());
        Assert.Equal(("2025-07-18T15:00:00Z", "2025-07-18T21:00:00Z", 60), (answer.GetProperty("start_time").GetString(), answer.GetProperty("end_time").GetString(), answer.GetProperty("step_seconds").GetInt32()));
        var group = Assert.Single(answer.GetProperty("groups").EnumerateArray());
        Assert.Equal(
            [
                """{"timestamp":"2025-07-18T20:59:00Z","lag_records":0,"lag_seconds":0,"appended_per_second":null,"committed_per_second":null}""",
                """{"timestamp":"2025-07-18T20:59:10Z","lag_records":0,"lag_seconds":0,"appended_per_second":10,"committed_per_second":10}""",
                """{"timestamp":"2025-07-18T20:59:50Z","lag_records":200,"lag_seconds":20,"appended_per_second":10,"committed_per_second":0}""",
            ],
            group.GetProperty("data").EnumerateArray().Select(step => step.GetRawText()).Where((_, i) => i is 0 or 1 or 5));
        Assert.Equal([0, 1], group.GetProperty("partitions").EnumerateArray().Select(partition => partition.GetProperty("partition").GetInt32()));
        Assert.Equal(
            """{"timestamp":"2025-07-18T20:59:40Z","lag_records":100,"lag_seconds":10}""", group.GetProperty("partitions")[0].GetProperty("data")[4].GetRawText());

        var all = await server.GetAsync($"{Route}/history");
        Assert.Equal(["collectors"], all.GetProperty("groups").EnumerateArray().Select(one => one.GetProperty("group").GetString()));
        using var unknown = await server.Client.GetAsync($"{Route}/history?group=nobody", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Contains("\"parameter\":\"group\"", await unknown.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_offset_that_went_back_makes_no_rate()
    {
        using var file = FileWithHistory();
        await using var queue = await FakeQueue.StartAsync();
        Describe(queue, file.TopicId);
        queue.Groups.Groups[0].LagHistory[^2].HighWatermark = 7; // of another log
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address, QueueTimeout = Patience });
        var last = (await server.GetAsync($"{Route}/history")).GetProperty("groups")[0].GetProperty("data")[5];
        Assert.Equal(("null", "0"), (last.GetProperty("appended_per_second").GetRawText(), last.GetProperty("committed_per_second").GetRawText()));
    }

    [Fact]
    public async Task Without_a_queue_that_answers_history_says_why_there_is_none()
    {
        using var file = FileWithHistory();
        await using var alone = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });
        var answer = await alone.GetAsync($"{Route}/history");
        Assert.Equal((false, "no queue is configured: the gateway has no MESSAGEQUEUE_ADDR"), (answer.GetProperty("reachable").GetBoolean(), answer.GetProperty("reason").GetString()));

        await using var queue = await FakeQueue.StartAsync();
        queue.Fails = new Status(StatusCode.Unavailable, "");
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address, QueueTimeout = Patience });
        answer = await server.GetAsync($"{Route}/history?group=collectors");
        Assert.Equal((false, "nothing answers at the queue's address", 0), (answer.GetProperty("reachable").GetBoolean(), answer.GetProperty("reason").GetString(), answer.GetProperty("groups").GetArrayLength()));
    }

    [Fact]
    public async Task Before_the_store_is_there_it_is_waiting()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });
        Assert.Equal(
            """{"store":{"state":"waiting","rows":0,"database_bytes":0,"newest_record_at":null,"history":{"rows":0,"bytes":0},"lag_records":null,"checkpoints":[],"gaps":[],"dead_letters":[]}}""",
            (await server.GetAsync(Route)).GetRawText());
    }

    [Fact]
    public void An_address_that_is_none_is_refused_by_name()
    {
        var error = Assert.Throws<SettingException>(() => GatewayApp.Build(new GatewayOptions { MessageQueueAddress = "localhost" }));
        Assert.StartsWith("MESSAGEQUEUE_ADDR: 'localhost' is not accepted: expected host:port", error.Message, StringComparison.Ordinal);
    }

    // Offset 0 is a row, 1 to 4 could not be read, 5 to 7 were never got.
    internal static StoreFile FileWithHistory()
    {
        var file = new StoreFile(new FakeTimeProvider(Time));
        file.Write(FleetFixture.Record(Time, FleetFixture.Busy, ("power_w", 1)));
        file.Write([], 7, [new DeadLetter(file.TopicId, 1, 1, 4, "undecodable", "not a batch", new byte[] { 1, 2 })], [new LogGap(file.TopicId, 1, 5, 8, "expired")]);
        return file;
    }

    internal static void Describe(FakeQueue queue, Guid topicId)
    {
        var time = Time.ToUnixTimeMilliseconds();
        var hour = (long)TimeSpan.FromHours(1).TotalMilliseconds;
        var topic = new TopicDescription { Topic = "telemetry", TopicId = ByteString.CopyFrom(topicId.ToByteArray(bigEndian: true)), CreatedUnixMs = time - hour };
        topic.Partitions.Add(new PartitionDescription { Partition = 1, LogEpoch = 1 });
        topic.Partitions.Add(new PartitionDescription
        {
            Partition = 0,
            LogEpoch = 1,
            LogStartOffset = 4,
            HighWatermark = 20,
            LogEndOffset = 21,
            Bytes = 900,
            AppendedPerSecond = 2.5,
            LastAppendUnixMs = time,
            ExpiredUnread = 3,
        });
        queue.Topics.Topics.Add(topic);
        var group = new GroupDescription { Group = "collectors", Topic = "telemetry", Generation = 4, Paused = true };
        group.Members.Add(new MemberDescription { MemberId = "m-1", Client = "collector-0/17", JoinedUnixMs = time - hour });
        group.Shards.Add(new ShardDescription
        {
            Shard = 0,
            MemberId = "m-1",
            CommittedOffset = 8,
            CommittedUnixMs = time,
            LagRecords = 12,
            LagSeconds = 1.5,
            GapRecords = 3,
        });
        group.Shards.Add(new ShardDescription { Shard = 1, CommittedOffset = -1 });
        for (var i = 0; i < 6; i++)
        {
            // Ten records a second arrive in partition 0, and are read until they are not.
            var committed = 100 * Math.Min(i, 3);
            var at = time - 60_000 + (10_000 * i);
            group.LagHistory.Add(new LagPoint { Partition = 0, UnixMs = at, HighWatermark = 100 * i, CommittedOffset = committed, LagRecords = (100 * i) - committed, LagSeconds = 10 * Math.Max(0, i - 3) });
            group.LagHistory.Add(new LagPoint { Partition = 1, UnixMs = at, CommittedOffset = -1 });
        }
        queue.Groups.Groups.Add(group);
    }
}
