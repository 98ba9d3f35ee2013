using Google.Protobuf;
using Grpc.Core;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class AdminRpcTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Topics_are_created_described_listed_and_deleted()
    {
        await using var broker = await RunningBroker.StartAsync();
        var created = await broker.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = "b", Partitions = 3 }, cancellationToken: Cancel);
        Assert.Equal(("b", 16, 3), (created.Topic, created.TopicId.Length, created.Partitions.Count));
        Assert.Equal(2, (await broker.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = "a" }, cancellationToken: Cancel)).Partitions.Count);
        Assert.Equal("TOPIC_EXISTS", (await Refused(() => broker.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = "a" }, cancellationToken: Cancel))).Code);
        Assert.Equal(["a", "b"], (await broker.Admin.ListTopicsAsync(new(), cancellationToken: Cancel)).Topics.Select(topic => topic.Topic));

        await Publish(broker, "a", 7);
        var partition = (await broker.Admin.DescribeTopicAsync(new DescribeTopicRequest { Topic = "a" }, cancellationToken: Cancel)).Partitions[0];
        Assert.Equal((0, 7, 7, 1), (partition.LogStartOffset, partition.HighWatermark, partition.LogEndOffset, partition.LogEpoch));
        Assert.True(partition.Bytes > 7 && partition.LastAppendUnixMs > 0 && partition.AppendedPerSecond > 0);

        var id = (await broker.Admin.DescribeTopicAsync(new DescribeTopicRequest { Topic = "a" }, cancellationToken: Cancel)).TopicId;
        await broker.Admin.DeleteTopicAsync(new DeleteTopicRequest { Topic = "a" }, cancellationToken: Cancel);
        Assert.Equal("UNKNOWN_TOPIC", (await Refused(() => broker.Admin.DescribeTopicAsync(new DescribeTopicRequest { Topic = "a" }, cancellationToken: Cancel))).Code);
        Assert.Equal("UNKNOWN_TOPIC", (await Refused(() => broker.Admin.DeleteTopicAsync(new DeleteTopicRequest { Topic = "a" }, cancellationToken: Cancel))).Code);
        Assert.NotEqual(id, (await broker.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = "a" }, cancellationToken: Cancel)).TopicId);
        Assert.Equal(0, broker.Core.Memory.Used);
    }

    [Theory]
    [InlineData("", 1, "topic: is empty")]
    [InlineData("a:b", 1, "topic: has the character ':'")]
    [InlineData("..", 1, "topic: '..'")]
    [InlineData("a", -1, "partitions: -1")]
    [InlineData("a", 1025, "partitions: 1025")]
    public async Task A_topic_that_cannot_be_is_refused(string topic, int partitions, string why)
    {
        await using var broker = await RunningBroker.StartAsync();
        var refused = await Refused(() => broker.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic, Partitions = partitions }, cancellationToken: Cancel));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_REQUEST"), (refused.Status, refused.Code));
        Assert.Contains(why, refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_are_described_with_lag_and_deleted_once_they_are_empty()
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, "telemetry", 10);
        using var member = await Member(broker);
        var groups = (await broker.Admin.ListGroupsAsync(new(), cancellationToken: Cancel)).Groups;
        var group = Assert.Single(groups);
        Assert.Equal(("g", "telemetry", false, 1, 2), (group.Group, group.Topic, group.DividesInput, group.Members.Count, group.Shards.Count));
        Assert.Equal((-1, 10), (group.Shards[0].CommittedOffset, group.Shards[0].LagRecords));
        Assert.Equal("GROUP_ACTIVE", (await Refused(() => broker.Admin.DeleteGroupAsync(new DeleteGroupRequest { Group = "g" }, cancellationToken: Cancel))).Code);

        await Leave(member);
        await broker.Admin.DeleteGroupAsync(new DeleteGroupRequest { Group = "g" }, cancellationToken: Cancel);
        Assert.Equal("UNKNOWN_GROUP", (await Refused(() => broker.Admin.DescribeGroupAsync(new DescribeGroupRequest { Group = "g" }, cancellationToken: Cancel))).Code);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    public async Task A_group_is_paused_and_resumed_as_often_as_one_likes(int shards)
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, "telemetry", 10);
        var pause = new PauseGroupRequest { Group = "g", Paused = true };
        Assert.Equal((StatusCode.NotFound, "UNKNOWN_GROUP"), await RefusedAs(() => broker.Admin.PauseGroupAsync(pause, cancellationToken: Cancel)));
        using var member = await Member(broker, shards);
        Assert.False(broker.Core.Groups.Get("g").IsPaused);

        var paused = await broker.Admin.PauseGroupAsync(pause, cancellationToken: Cancel);
        Assert.True(paused.Paused);
        var revoked = (await member.ResponseStream.Next()).Revoke;
        Assert.Equal(paused.Shards.Select(shard => shard.Shard), revoked.Shards);
        Assert.True((await broker.Admin.PauseGroupAsync(pause, cancellationToken: Cancel)).Paused);
        await member.RequestStream.WriteAsync(new MemberMessage { Revoked = new Revoked { Shards = { revoked.Shards } } }, Cancel);
        await Eventually.Is(() => broker.Core.Groups.Get("g").Describe().Shards.All(shard => shard.MemberId.Length == 0));
        var described = await broker.Admin.DescribeGroupAsync(new DescribeGroupRequest { Group = "g" }, cancellationToken: Cancel);
        Assert.Equal((true, 1, shards == 0 ? 10 : 0), (described.Paused, described.Members.Count, described.Shards[0].LagRecords));

        pause.Paused = false;
        Assert.False((await broker.Admin.PauseGroupAsync(pause, cancellationToken: Cancel)).Paused);
        Assert.False((await broker.Admin.PauseGroupAsync(pause, cancellationToken: Cancel)).Paused);
        Assert.Equal(revoked.Shards, (await member.ResponseStream.Next()).Assign.Assignments.Select(assignment => assignment.Shard));
    }

    [Fact]
    public async Task Offsets_are_reset_after_a_dry_run_and_never_under_a_member()
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, "telemetry", 10);
        var request = new ResetOffsetsRequest { Group = "g", Latest = true, DryRun = true };
        using (var member = await Member(broker))
        {
            Assert.Equal("GROUP_ACTIVE", (await Refused(() => broker.Admin.ResetOffsetsAsync(request, cancellationToken: Cancel))).Code);
            await Leave(member);
        }
        var dry = await broker.Admin.ResetOffsetsAsync(request, cancellationToken: Cancel);
        Assert.Equal([(0, -1, 10), (1, -1, 0)], dry.Resets.Select(reset => (reset.Partition, reset.FromOffset, reset.ToOffset)));
        Assert.Equal(-1, broker.Core.Groups.Get("g").Describe().Shards[0].Committed);

        request.DryRun = false;
        Assert.Equal(dry, await broker.Admin.ResetOffsetsAsync(request, cancellationToken: Cancel));
        Assert.Equal(10, broker.Core.Groups.Get("g").Describe().Shards[0].Committed);
        var one = await broker.Admin.ResetOffsetsAsync(new ResetOffsetsRequest { Group = "g", Offset = 4, Partitions = { 0 } }, cancellationToken: Cancel);
        Assert.Equal((0, 10, 4), (Assert.Single(one.Resets).Partition, one.Resets[0].FromOffset, one.Resets[0].ToOffset));

        using var reader = broker.Queue.Join(cancellationToken: Cancel);
        await reader.RequestStream.WriteAsync(new MemberMessage { Join = new JoinGroup { Group = "g", Topic = "telemetry" } }, Cancel);
        await reader.ResponseStream.Next();
        Assert.Equal([4, 0], (await reader.ResponseStream.Next()).Assign.Assignments.Select(assignment => assignment.CommittedOffset));
    }

    [Fact]
    public async Task A_reset_that_one_partition_cannot_follow_moves_none()
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, "telemetry", 10);
        await Leave(await Member(broker));
        var refused = await Refused(() => broker.Admin.ResetOffsetsAsync(new ResetOffsetsRequest { Group = "g", Offset = 5 }, cancellationToken: Cancel));
        Assert.Equal("OFFSET_OUT_OF_RANGE", refused.Code); // partition 1 is empty
        Assert.Equal(-1, broker.Core.Groups.Get("g").Describe().Shards[0].Committed);
        Assert.Equal("INVALID_REQUEST", (await Refused(() => broker.Admin.ResetOffsetsAsync(new ResetOffsetsRequest { Group = "g" }, cancellationToken: Cancel))).Code);
        Assert.Equal("UNKNOWN_PARTITION", (await Refused(() => broker.Admin.ResetOffsetsAsync(new ResetOffsetsRequest { Group = "g", Latest = true, Partitions = { 5 } }, cancellationToken: Cancel))).Code);
        Assert.Equal("UNKNOWN_GROUP", (await Refused(() => broker.Admin.ResetOffsetsAsync(new ResetOffsetsRequest { Group = "h", Latest = true }, cancellationToken: Cancel))).Code);
    }

    [Fact]
    public async Task What_is_asked_of_a_groups_history_has_to_make_sense()
    {
        await using var broker = await RunningBroker.StartAsync();
        await Leave(await Member(broker));
        Assert.Empty((await broker.Admin.DescribeGroupAsync(new DescribeGroupRequest { Group = "g" }, cancellationToken: Cancel)).History);
        var negative = await Refused(() => broker.Admin.DescribeGroupAsync(new DescribeGroupRequest { Group = "g", HistoryMs = -1 }, cancellationToken: Cancel));
        Assert.Equal(("INVALID_REQUEST", "history_ms: -1 is not accepted: expected 0 or more"), (negative.Code, negative.Detail));
        foreach (var time in (long[])[-1, long.MaxValue])
        {
            var never = await Refused(() => broker.Admin.ResetOffsetsAsync(new ResetOffsetsRequest { Group = "g", CommittedAtUnixMs = time }, cancellationToken: Cancel));
            Assert.Equal("INVALID_REQUEST", never.Code);
            Assert.StartsWith($"committed_at_unix_ms: {time} is not accepted: ", never.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_group_that_divides_an_input_has_no_offsets_to_reset()
    {
        await using var broker = await RunningBroker.StartAsync();
        await Leave(await Member(broker, shards: 16));
        var refused = await Refused(() => broker.Admin.ResetOffsetsAsync(new ResetOffsetsRequest { Group = "g", Latest = true }, cancellationToken: Cancel));
        Assert.Equal("INVALID_REQUEST", refused.Code);
    }

    [Theory]
    [InlineData(0, 0, new long[] { 0 })]
    [InlineData(12, 2, new long[] { 10, 20 })]
    [InlineData(-5, 100, new long[] { 0, 10, 20 })]
    [InlineData(1000, 5, new long[0])]
    public async Task A_peek_returns_whole_batches_from_an_offset_clamped_to_the_log(long offset, int batches, long[] expected)
    {
        await using var broker = await RunningBroker.StartAsync();
        for (var i = 0; i < 3; i++)
            await Publish(broker, "telemetry", 10);
        var peek = await broker.Admin.PeekAsync(new PeekRequest { Topic = "telemetry", Offset = offset, BatchesMax = batches }, cancellationToken: Cancel);
        Assert.Equal(expected, peek.Batches.Select(batch => batch.BaseOffset));
        Assert.Equal((0, 30), (peek.LogStartOffset, peek.HighWatermark));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(101)]
    public async Task A_peek_is_bounded(int batches)
    {
        await using var broker = await RunningBroker.StartAsync();
        await Publish(broker, "telemetry", 10);
        Assert.Equal("INVALID_REQUEST", (await Refused(() => broker.Admin.PeekAsync(new PeekRequest { Topic = "telemetry", BatchesMax = batches }, cancellationToken: Cancel))).Code);
    }

    private static Task<(StatusCode Status, string Detail, string? Code, string? RetryMs)> Refused<T>(Func<AsyncUnaryCall<T>> call) =>
        RunningBroker.Refused(() => call().ResponseAsync);

    private static async Task<(StatusCode Status, string? Code)> RefusedAs<T>(Func<AsyncUnaryCall<T>> call)
    {
        var (status, _, code, _) = await Refused(call);
        return (status, code);
    }

    private static async Task Publish(RunningBroker broker, string topic, int records) => await broker.Queue.PublishAsync(
        new PublishRequest { Topic = topic, Batch = ByteString.CopyFrom(new byte[records]), RecordCount = records }, cancellationToken: Cancel);

    private static async Task<AsyncDuplexStreamingCall<MemberMessage, CoordinatorMessage>> Member(RunningBroker broker, int shards = 0)
    {
        var member = broker.Queue.Join(cancellationToken: Cancel);
        await member.RequestStream.WriteAsync(new MemberMessage { Join = new JoinGroup { Group = "g", Topic = "telemetry", Shards = shards } }, Cancel);
        await member.ResponseStream.Next();
        await member.ResponseStream.Next();
        return member;
    }

    private static async Task Leave(AsyncDuplexStreamingCall<MemberMessage, CoordinatorMessage> member)
    {
        await member.RequestStream.WriteAsync(new MemberMessage { Leave = new LeaveGroup() }, Cancel);
        await member.ResponseStream.Ended();
    }
}
