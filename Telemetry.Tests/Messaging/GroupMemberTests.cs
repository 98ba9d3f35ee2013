using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;
using Coordinator = Telemetry.Tests.Messaging.FakeStream<Telemetry.Messaging.V1.MemberMessage, Telemetry.Messaging.V1.CoordinatorMessage>;

namespace Telemetry.Tests.Messaging;

public sealed class GroupMemberTests : IAsyncLifetime
{
    private static readonly LogId Log = new() { TopicId = ByteString.CopyFrom(new byte[16]), LogEpoch = 1 };

    private readonly FakeTimeProvider _time = new();
    private readonly ListLogger _logger = new();
    private FakeBroker _broker = null!;
    private QueueConnection _connection = null!;
    private GroupMember? _member;
    private IAsyncEnumerator<AssignmentChange> _changes = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await FakeBroker.StartAsync();
        _connection = new QueueConnection(_broker.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync(); // first, so that no test waits for a leave that its coordinator does not answer
        if (_member is not null)
            await _member.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task A_member_says_who_it_is_and_is_told_what_it_owns()
    {
        Start(TimeProvider.System);
        var coordinator = await _broker.NextJoinAsync();
        var join = (await coordinator.ReadAsync()).Join;
        Assert.Equal(("collectors", "telemetry", 8, "", 9_000, 4_000, "host/1"),
            (join.Group, join.Topic, join.Shards, join.MemberId, join.SessionTimeoutMs, join.RebalanceTimeoutMs, join.Client));
        await coordinator.SendAsync(Joined("m-1"));
        await coordinator.SendAsync(Assign(3, (0, 100), (5, -1)));
        Assert.Equal([Owned(0, 3, 100), Owned(5, 3, -1)], (await NextAsync<AssignmentChange.Assigned>()).Shards);
        await coordinator.SendAsync(Assign(4, (1, 7)));
        Assert.Equal([Owned(1, 4, 7)], (await NextAsync<AssignmentChange.Assigned>()).Shards);
    }

    [Fact]
    public async Task A_revoked_shard_is_given_back_when_the_owner_has_finished()
    {
        var coordinator = await JoinAsync(3, 0, 1, 2);
        await coordinator.SendAsync(new() { Revoke = new Revoke { Shards = { 1, 2, 7 }, DeadlineMs = 4_000 } });
        Assert.Equal([7], (await coordinator.ReadAsync()).Revoked.Shards); // it is not this member's: nothing to finish
        var revoked = await NextAsync<AssignmentChange.Revoked>();
        Assert.Equal([1, 2], revoked.Shards);
        Assert.Equal(TimeSpan.FromSeconds(4), revoked.Deadline);
        await _member!.ReleaseAsync(revoked.Shards, Wait.Token);
        Assert.Equal([1, 2], (await coordinator.ReadAsync()).Revoked.Shards);
        // What was given back is not lost later.
        await coordinator.SendAsync(Fenced(ErrorCode.MemberFenced));
        Assert.Equal([0], (await NextAsync<AssignmentChange.Lost>()).Shards);
    }

    [Fact]
    public async Task F37_a_member_says_which_of_its_shards_are_finished_and_hears_when_all_are()
    {
        var coordinator = await JoinAsync(3, 0, 1);
        await _member!.FinishAsync([0, 1, 7], Wait.Token); // 7 is not its own any more
        Assert.Equal([0, 1], (await coordinator.ReadAsync()).Finished.Shards);
        await coordinator.SendAsync(new() { AllFinished = new AllFinished() });
        await NextAsync<AssignmentChange.AllFinished>();
    }

    [Fact]
    public async Task Heartbeats_come_every_third_of_the_session_and_their_answers_keep_it()
    {
        Start(_time);
        var coordinator = await JoinAsync(1, 0);
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            Assert.Equal(MemberMessage.KindOneofCase.Heartbeat, (await coordinator.ReadAsync()).KindCase);
            await coordinator.SendAsync(new() { Heartbeat = new Heartbeat() });
            await RoundTripAsync(coordinator);
        }
        Assert.DoesNotContain(_logger.Lines, line => line.Event == 5020);
    }

    [Fact]
    public async Task F17_a_member_whose_heartbeats_are_not_answered_loses_its_shards_when_its_own_clock_says_so()
    {
        Start(_time);
        var coordinator = await JoinAsync(1, 0, 4);
        _time.Advance(TimeSpan.FromSeconds(3));
        await coordinator.ReadAsync(); // a heartbeat, sent at 3 s
        _time.Advance(TimeSpan.FromSeconds(2));
        await coordinator.SendAsync(new() { Heartbeat = new Heartbeat() }); // answered at 5 s
        await RoundTripAsync(coordinator);
        var next = NextAsync<AssignmentChange.Lost>();
        _time.Advance(TimeSpan.FromSeconds(6.9)); // 11.9 s: it counts from 3 s, when the heartbeat was sent
        Assert.False(next.IsCompleted);
        Assert.DoesNotContain(_logger.Lines, line => line.Event == 5020);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        var lost = await Wait.For(next);
        Assert.Equal([0, 4], lost.Shards);
        Assert.Contains("did not answer for 9 s", lost.Reason, StringComparison.Ordinal);
        await Wait.For(coordinator.ClientGone);
        // It joins again, as the same member.
        var again = await Wait.For(_broker.NextJoinAsync(), _time);
        Assert.Equal("m-1", (await again.ReadAsync()).Join.MemberId);
    }

    [Fact]
    public async Task F25_a_member_comes_back_as_itself_and_its_shards_have_new_generations()
    {
        var coordinator = await JoinAsync(3, 0, 1, 2);
        coordinator.Break();
        var again = await _broker.NextJoinAsync();
        Assert.Equal("m-1", (await again.ReadAsync()).Join.MemberId);
        await again.SendAsync(Joined("m-1"));
        await again.SendAsync(Assign(8, (0, 50), (1, 60))); // all that it has: 2 is gone
        Assert.Equal([0, 1, 2], (await NextAsync<AssignmentChange.Lost>()).Shards);
        Assert.Equal([Owned(0, 8, 50), Owned(1, 8, 60)], (await NextAsync<AssignmentChange.Assigned>()).Shards);
        await again.SendAsync(Assign(9, (5, -1))); // in addition
        Assert.Equal([Owned(5, 9, -1)], (await NextAsync<AssignmentChange.Assigned>()).Shards);
        Assert.Equal([5000, 5001, 5020], _logger.Lines.Select(line => line.Event));
    }

    [Fact]
    public async Task A_shard_that_is_assigned_again_with_its_generation_is_no_change()
    {
        var coordinator = await JoinAsync(3, 0, 1);
        coordinator.Break();
        var again = await _broker.NextJoinAsync();
        await again.ReadAsync();
        await again.SendAsync(Joined("m-1"));
        await again.SendAsync(Assign(3, (0, 10), (1, 10)));
        await again.SendAsync(Assign(4, (2, 10)));
        Assert.Equal([Owned(2, 4, 10)], (await NextAsync<AssignmentChange.Assigned>()).Shards);
    }

    [Fact]
    public async Task A_fenced_member_loses_everything_and_joins_again()
    {
        var coordinator = await JoinAsync(3, 0, 1);
        await coordinator.SendAsync(Fenced(ErrorCode.MemberFenced));
        var lost = await NextAsync<AssignmentChange.Lost>();
        Assert.Equal([0, 1], lost.Shards);
        Assert.Equal("refused: MemberFenced", lost.Reason);
        var again = await _broker.NextJoinAsync();
        await again.ReadAsync();
        await again.SendAsync(Joined("m-1"));
        await again.SendAsync(Assign(4, (1, 5)));
        Assert.Equal([Owned(1, 4, 5)], (await NextAsync<AssignmentChange.Assigned>()).Shards);
    }

    [Fact]
    public async Task F20_a_coordinator_that_does_not_know_the_member_makes_a_new_one_that_owns_nothing()
    {
        var coordinator = await JoinAsync(3, 0, 1);
        coordinator.Break();
        var again = await _broker.NextJoinAsync();
        await again.ReadAsync();
        await again.SendAsync(Joined("m-2"));
        Assert.Equal([0, 1], (await NextAsync<AssignmentChange.Lost>()).Shards);
    }

    [Fact]
    public async Task A_membership_that_makes_no_sense_ends_with_the_coordinators_words()
    {
        var coordinator = await JoinAsync(3, 0);
        coordinator.Break();
        var again = await _broker.NextJoinAsync();
        again.Fail(FakeBroker.Status(Grpc.Core.StatusCode.InvalidArgument, ErrorCode.InvalidRequest));
        Assert.Equal([0], (await NextAsync<AssignmentChange.Lost>()).Shards);
        var error = await Assert.ThrowsAsync<QueueException>(() => Wait.For(_changes.MoveNextAsync().AsTask()));
        Assert.Equal((ErrorCode.InvalidRequest, "refused: InvalidRequest"), (error.Code, error.Message));
    }

    [Fact]
    public async Task Commits_go_with_member_and_generation_and_a_refused_one_tells_that_the_shard_is_lost()
    {
        await JoinAsync(3, 0, 1, 2);
        Assert.Empty(await _member!.CommitAsync([(0, 10, 3), (1, 20, 3)], Wait.Token));
        var commit = Assert.Single(_broker.Commits);
        Assert.Equal(("collectors", "m-1"), (commit.Group, commit.MemberId));
        Assert.Equal([new OffsetCommit { Shard = 0, Offset = 10, Generation = 3 }, new OffsetCommit { Shard = 1, Offset = 20, Generation = 3 }], commit.Offsets);

        _broker.OnCommit = request => new CommitResponse
        {
            Results = { request.Offsets.Select(offset => new CommitResult { Shard = offset.Shard, Error = offset.Shard == 0 ? ErrorCode.Ok : ErrorCode.MemberFenced }) },
        };
        // Shard 1 at its own generation: it is lost. Shard 2 at an older one: a late commit, and nothing new.
        Assert.Equal([1, 2], await _member!.CommitAsync([(0, 11, 3), (1, 21, 3), (2, 5, 1)], Wait.Token));
        Assert.Equal([1], (await NextAsync<AssignmentChange.Lost>()).Shards);

        _broker.OnCommit = _ => throw FakeBroker.Status(Grpc.Core.StatusCode.FailedPrecondition, ErrorCode.UnknownMember);
        Assert.Equal([0], await _member!.CommitAsync([(0, 12, 3)], Wait.Token));
        Assert.Equal([0], (await NextAsync<AssignmentChange.Lost>()).Shards);
    }

    [Fact]
    public async Task A_commit_that_is_refused_for_its_offset_is_an_error_and_the_shard_stays()
    {
        await JoinAsync(3, 0, 1);
        _broker.OnCommit = request => new CommitResponse
        {
            Results = { request.Offsets.Select(offset => new CommitResult { Shard = offset.Shard, Error = ErrorCode.OffsetOutOfRange, Message = "beyond the end" }) },
        };
        var error = await Assert.ThrowsAsync<QueueException>(() => _member!.CommitAsync([(0, 10, 3)], Wait.Token));
        Assert.Equal((ErrorCode.OffsetOutOfRange, "beyond the end"), (error.Code, error.Message));
        Assert.DoesNotContain(_logger.Lines, line => line.Event == 5020);
    }

    [Fact]
    public async Task A_commit_that_does_not_arrive_is_an_error_and_changes_nothing()
    {
        await JoinAsync(3, 0);
        await _broker.StopAsync();
        Assert.Equal(ErrorCode.ShuttingDown, (await Assert.ThrowsAsync<QueueException>(() => _member!.CommitAsync([(0, 1, 3)], Wait.Token))).Code);
        Assert.DoesNotContain(_logger.Lines, line => line.Event == 5020);
    }

    [Fact]
    public async Task F27_a_member_leaves_before_it_ends()
    {
        var coordinator = await JoinAsync(3, 0);
        var ending = _member!.DisposeAsync().AsTask();
        Assert.Equal(MemberMessage.KindOneofCase.Leave, (await coordinator.ReadAsync()).KindCase);
        coordinator.End();
        await Wait.For(ending);
        Assert.False(await Wait.For(_changes.MoveNextAsync().AsTask()));
    }

    [Fact]
    public async Task A_member_ends_in_bounded_time_when_the_coordinator_is_silent_or_away()
    {
        var coordinator = await JoinAsync(3, 0);
        await Wait.For(_member!.DisposeAsync().AsTask()); // nobody answers the leave
        await Wait.For(coordinator.ClientGone);

        await _broker.StopAsync();
        var other = new GroupMember(_connection, new() { Group = "g", Topic = "t" });
        await Wait.For(other.DisposeAsync().AsTask());
    }

    private void Start(TimeProvider time)
    {
        _member = new GroupMember(_connection, new()
        {
            Group = "collectors",
            Topic = "telemetry",
            Shards = 8,
            Client = "host/1",
            Time = time,
            Logger = _logger,
            SessionTimeout = TimeSpan.FromSeconds(9),
            RebalanceTimeout = TimeSpan.FromSeconds(4),
        });
        _changes = _member.ChangesAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
    }

    private async Task<Coordinator> JoinAsync(long generation, params int[] shards)
    {
        if (_member is null)
            Start(TimeProvider.System);
        var coordinator = await _broker.NextJoinAsync();
        await coordinator.ReadAsync();
        await coordinator.SendAsync(Joined("m-1"));
        await coordinator.SendAsync(Assign(generation, [.. shards.Select(shard => (shard, -1L))]));
        Assert.Equal(shards, (await NextAsync<AssignmentChange.Assigned>()).Shards.Select(shard => shard.Shard));
        return coordinator;
    }

    /// <summary>Returns when the member has handled everything that was sent before: it answers a revoke of what it has not at once.</summary>
    private static async Task RoundTripAsync(Coordinator coordinator)
    {
        await coordinator.SendAsync(new() { Revoke = new Revoke { Shards = { 99 } } });
        Assert.Equal([99], (await coordinator.ReadAsync()).Revoked.Shards);
    }

    private async Task<T> NextAsync<T>()
        where T : AssignmentChange
    {
        Assert.True(await Wait.For(_changes.MoveNextAsync().AsTask()));
        return Assert.IsType<T>(_changes.Current);
    }

    private static ShardAssignment Owned(int shard, long generation, long committed) => new(shard, generation, committed) { Log = LogIdentities.Of(Log) };

    private static CoordinatorMessage Joined(string member) => new() { Joined = new Joined { MemberId = member, SessionTimeoutMs = 9_000, Shards = 8 } };

    private static CoordinatorMessage Assign(long generation, params (int Shard, long Committed)[] shards) => new()
    {
        Assign = new Assign
        {
            Generation = generation,
            Assignments = { shards.Select(shard => new Assignment { Shard = shard.Shard, CommittedOffset = shard.Committed, Log = Log }) },
        },
    };

    private static CoordinatorMessage Fenced(ErrorCode code) => new() { Fenced = new Fenced { Error = code, Message = $"refused: {code}" } };
}
