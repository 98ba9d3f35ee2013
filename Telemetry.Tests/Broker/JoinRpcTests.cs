using Google.Protobuf;
using Grpc.Core;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class JoinRpcTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_share_the_partitions_and_hand_over_what_is_revoked()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var first = await Join(broker, new JoinGroup { MemberId = "a", Client = "host/1" });
        var joined = (await first.ResponseStream.Next()).Joined;
        Assert.Equal(("a", 10_000, 2), (joined.MemberId, joined.SessionTimeoutMs, joined.Shards));
        var assign = (await first.ResponseStream.Next()).Assign;
        Assert.Equal([0, 1], assign.Assignments.Select(assignment => assignment.Shard));
        Assert.All(assign.Assignments, assignment => Assert.Equal((-1, 16), (assignment.CommittedOffset, assignment.Log.TopicId.Length)));

        using var second = await Join(broker, new JoinGroup { MemberId = "b" });
        var revoke = (await first.ResponseStream.Next()).Revoke;
        Assert.Equal(10_000, revoke.DeadlineMs);
        await first.RequestStream.WriteAsync(new MemberMessage { Revoked = new Revoked { Shards = { revoke.Shards } } }, Cancel);
        await second.ResponseStream.Next();
        Assert.Empty((await second.ResponseStream.Next()).Assign.Assignments);
        var moved = (await second.ResponseStream.Next()).Assign;
        Assert.Equal(revoke.Shards, moved.Assignments.Select(assignment => assignment.Shard));
        Assert.True(moved.Generation > assign.Generation);

        var group = await broker.Admin.DescribeGroupAsync(new DescribeGroupRequest { Group = "g" }, cancellationToken: Cancel);
        Assert.Equal(["a", "b"], group.Members.Select(member => member.MemberId));
        Assert.Equal("host/1", group.Members[0].Client);
        Assert.Equal(["a", "b"], group.Shards.Select(shard => shard.MemberId));
    }

    [Fact]
    public async Task A_heartbeat_is_answered_and_a_leave_ends_the_stream()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var member = await Join(broker, new JoinGroup { MemberId = "a" });
        await member.ResponseStream.Next();
        await member.ResponseStream.Next();
        await member.RequestStream.WriteAsync(new MemberMessage { Heartbeat = new Heartbeat() }, Cancel);
        Assert.Equal(CoordinatorMessage.KindOneofCase.Heartbeat, (await member.ResponseStream.Next()).KindCase);
        await member.RequestStream.WriteAsync(new MemberMessage { Leave = new LeaveGroup() }, Cancel);
        await member.ResponseStream.Ended();
        Assert.Empty(broker.Core.Groups.Get("g").Describe().Members);
    }

    [Fact]
    public async Task F25_a_broken_stream_keeps_its_shards_for_the_session_and_a_reconnect_takes_them_over()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var broken = new CancellationTokenSource();
        using var first = await Join(broker, new JoinGroup { MemberId = "a" }, broken.Token);
        await first.ResponseStream.Next();
        var before = (await first.ResponseStream.Next()).Assign.Generation;
        await broken.CancelAsync();

        using var again = await Join(broker, new JoinGroup { MemberId = "a" });
        await again.ResponseStream.Next();
        var assign = (await again.ResponseStream.Next()).Assign;
        Assert.Equal(2, assign.Assignments.Count);
        Assert.True(assign.Generation > before);
        Assert.Single(broker.Core.Groups.Get("g").Describe().Members);
    }

    [Fact]
    public async Task A_member_whose_id_joins_again_hears_that_it_is_fenced()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var old = await Join(broker, new JoinGroup { MemberId = "a" });
        await old.ResponseStream.Next();
        await old.ResponseStream.Next();
        using var current = await Join(broker, new JoinGroup { MemberId = "a" });
        Assert.Equal(ErrorCode.MemberFenced, (await old.ResponseStream.Next()).Fenced.Error);
        await old.ResponseStream.Ended();
    }

    [Fact]
    public async Task F15_a_silent_member_is_fenced_and_its_commits_are_refused()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var member = await Join(broker, new JoinGroup { MemberId = "a", SessionTimeoutMs = 500 });
        await member.ResponseStream.Next();
        var generation = (await member.ResponseStream.Next()).Assign.Generation;
        var fenced = (await member.ResponseStream.Next()).Fenced;
        Assert.Contains("session timeout of 500 ms", fenced.Message, StringComparison.Ordinal);
        await member.ResponseStream.Ended();
        var commit = new CommitRequest { Group = "g", MemberId = "a", Offsets = { new OffsetCommit { Shard = 1, Generation = generation } } };
        var result = Assert.Single((await broker.Queue.CommitAsync(commit, cancellationToken: Cancel)).Results);
        Assert.Equal((1, ErrorCode.UnknownMember), (result.Shard, result.Error));
    }

    [Fact]
    public async Task Commits_are_answered_in_their_order()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var member = await Join(broker, new JoinGroup { MemberId = "a" });
        await member.ResponseStream.Next();
        var generation = (await member.ResponseStream.Next()).Assign.Generation;
        await broker.Queue.PublishAsync(new PublishRequest { Topic = "telemetry", Batch = ByteString.CopyFrom(1), RecordCount = 5 }, cancellationToken: Cancel);
        var answer = await broker.Queue.CommitAsync(
            new CommitRequest
            {
                Group = "g",
                MemberId = "a",
                Offsets =
                {
                    new OffsetCommit { Shard = 1, Offset = 7, Generation = generation },
                    new OffsetCommit { Shard = 0, Offset = 5, Generation = generation },
                    new OffsetCommit { Shard = 0, Offset = 5, Generation = generation + 1 },
                },
            },
            cancellationToken: Cancel);
        Assert.Equal([ErrorCode.OffsetOutOfRange, ErrorCode.Ok, ErrorCode.MemberFenced], answer.Results.Select(result => result.Error));
        Assert.Equal([1, 0, 0], answer.Results.Select(result => result.Shard));
        var unknown = await RunningBroker.Refused(() => broker.Queue.CommitAsync(new CommitRequest { Group = "none", MemberId = "a" }, cancellationToken: Cancel).ResponseAsync);
        Assert.Equal((StatusCode.NotFound, "UNKNOWN_GROUP"), (unknown.Status, unknown.Code));
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task A_malformed_join_is_refused_with_the_name_of_the_field(string why, JoinGroup join)
    {
        await using var broker = await RunningBroker.StartAsync();
        using var member = broker.Queue.Join(cancellationToken: Cancel);
        await member.RequestStream.WriteAsync(new MemberMessage { Join = join }, Cancel);
        var refused = await RunningBroker.Refused(() => member.ResponseStream.MoveNext(Cancel));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_REQUEST"), (refused.Status, refused.Code));
        Assert.Contains(why, refused.Detail, StringComparison.Ordinal);
        Assert.Empty(broker.Core.Groups.All);
    }

    public static TheoryData<string, JoinGroup> Malformed => new()
    {
        { "group: is empty", new JoinGroup { Topic = "telemetry" } },
        { "topic: is empty", new JoinGroup { Group = "g" } },
        { "shards: -1", new JoinGroup { Group = "g", Topic = "telemetry", Shards = -1 } },
        { "shards: 16385", new JoinGroup { Group = "g", Topic = "telemetry", Shards = 16_385 } },
        { "session_timeout_ms: 499", new JoinGroup { Group = "g", Topic = "telemetry", SessionTimeoutMs = 499 } },
        { "session_timeout_ms: 300001", new JoinGroup { Group = "g", Topic = "telemetry", SessionTimeoutMs = 300_001 } },
        { "rebalance_timeout_ms: -1", new JoinGroup { Group = "g", Topic = "telemetry", RebalanceTimeoutMs = -1 } },
        { "member_id: has", new JoinGroup { Group = "g", Topic = "telemetry", MemberId = "a\nb" } },
        { "client: has a control character", new JoinGroup { Group = "g", Topic = "telemetry", Client = "a\nb" } },
    };

    [Fact]
    public async Task What_a_member_says_has_to_make_sense()
    {
        await using var broker = await RunningBroker.StartAsync();
        using var headless = broker.Queue.Join(cancellationToken: Cancel);
        await headless.RequestStream.WriteAsync(new MemberMessage { Heartbeat = new Heartbeat() }, Cancel);
        Assert.Equal("INVALID_REQUEST", (await RunningBroker.Refused(() => headless.ResponseStream.MoveNext(Cancel))).Code);

        foreach (var nonsense in new[]
        {
            new MemberMessage(),
            new MemberMessage { Join = new JoinGroup { Group = "g", Topic = "telemetry" } },
            new MemberMessage { Revoked = new Revoked { Shards = { 2 } } },
            new MemberMessage { Finished = new Finished { Shards = { 0 } } },
        })
        {
            using var member = await Join(broker, new JoinGroup());
            await member.ResponseStream.Next();
            await member.RequestStream.WriteAsync(nonsense, Cancel);
            var refused = await RunningBroker.Refused(async () =>
            {
                while (await member.ResponseStream.MoveNext(Cancel))
                {
                    // Assignments come before the refusal.
                }
            });
            Assert.Equal("INVALID_REQUEST", refused.Code);
        }
    }

    private static async Task<AsyncDuplexStreamingCall<MemberMessage, CoordinatorMessage>> Join(RunningBroker broker, JoinGroup join, CancellationToken? cancellationToken = null)
    {
        join.Group = "g";
        join.Topic = "telemetry";
        var member = broker.Queue.Join(cancellationToken: cancellationToken ?? Cancel);
        await member.RequestStream.WriteAsync(new MemberMessage { Join = join }, Cancel);
        return member;
    }
}
