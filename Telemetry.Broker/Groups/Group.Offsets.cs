using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Groups;

// How far the group has read: commits, resets, and what people are told of it.
internal sealed partial class Group
{
    /// <summary>Notes how far a member has read a shard.</summary>
    /// <returns>OK, or why not.</returns>
    public (ErrorCode Error, string Message) Commit(string memberId, int number, long offset, long generation)
    {
        if ((uint)number >= (uint)_shards.Length)
            return (ErrorCode.UnknownPartition, $"group '{Name}' has shards 0 to {_shards.Length - 1}; {number} is none of them");
        if (offset < 0)
            return (ErrorCode.InvalidRequest, $"offset: {offset} is not accepted: expected 0 or more");
        lock (_sync)
        {
            if (FindMember(memberId) is not { } member)
            {
                _metrics.Fenced("commit");
                return (ErrorCode.UnknownMember, $"group '{Name}' has no such member; it left or was fenced: join again");
            }
            member.SeenLogMs = _clock.LogMs;
            var shard = _shards[number];
            if (shard.Owner != member || shard.Generation != generation)
            {
                _metrics.Fenced("commit");
                return (ErrorCode.MemberFenced, $"the member does not own shard {number} at generation {generation}");
            }
            if (shard.Partition is null)
            {
                shard.Progress.Committed = offset;
                shard.Progress.CommittedUnixMs = _clock.UnixMs;
            }
            else if (!shard.Partition.Commit(shard.Progress, offset))
            {
                return (ErrorCode.OffsetOutOfRange, $"offset {offset} is beyond the end of partition {number}, which is {shard.Partition.HighWatermark}");
            }
            return (ErrorCode.Ok, "");
        }
    }

    /// <summary>Moves committed offsets: all of them, or none when one is refused.</summary>
    /// <param name="partitions">Which; none: all.</param>
    /// <param name="to">Where to; null: to where no offset is committed.</param>
    /// <param name="keep">Keeps the group as it is about to be; where it throws, nothing is moved. Null: a dry run.</param>
    /// <exception cref="BrokerException">The group has members or divides an input, a partition is unknown, or an offset is not in its log.</exception>
    public IReadOnlyList<OffsetMove> ResetOffsets(IReadOnlyCollection<int> partitions, Func<PartitionLog, ReadFrom?> to, Action<StoredGroup>? keep)
    {
        if (DividesInput)
            throw BrokerException.Invalid($"group: '{Name}' divides an input; its offsets are its members' own");
        lock (_sync)
        {
            ThrowIfActive();
            var shards = partitions.Count == 0 ? _shards : [.. partitions.Distinct().Select(number => _shards[Topic.Partition(number).Partition])];
            var moves = shards.Select(shard => new OffsetMove(shard.Number, shard.Progress.Committed, ResetTo(shard.Partition!, to(shard.Partition!)))).ToList();
            if (keep is null)
                return moves;
            var stored = ToStored();
            foreach (var move in moves)
                stored.Shards[move.Partition] = stored.Shards[move.Partition] with { Committed = move.To, CommittedUnixMs = _clock.UnixMs };
            keep(stored);
            foreach (var move in moves)
                _shards[move.Partition].Partition!.Commit(_shards[move.Partition].Progress, move.To);
            return moves;
        }
    }

    /// <summary>What has to be kept of the group.</summary>
    public StoredGroup ToStored()
    {
        lock (_sync)
        {
            return new StoredGroup(
                Name,
                Topic.Id,
                InputShards,
                _generation,
                [.. _shards.Select(shard => new StoredProgress(shard.Number, shard.Progress.Committed, shard.Progress.CommittedUnixMs, shard.Progress.GapRecords))],
                _paused);
        }
    }

    /// <summary>What people are told of the group.</summary>
    public GroupStatus Describe()
    {
        lock (_sync)
        {
            return new GroupStatus(
                Name,
                Topic.Name,
                DividesInput,
                _generation,
                [.. _members.Select(member => new MemberStatus(member.Id, member.Options.Client, member.JoinedUnixMs))],
                [.. _shards.Select(Describe)],
                _paused);
        }
    }

    /// <summary>How far behind the group is in each partition; nothing for shards of input.</summary>
    public IEnumerable<(int Partition, Lag Lag)> Lags() =>
        DividesInput ? [] : _shards.Select(shard => (shard.Number, shard.Partition!.LagOf(shard.Progress)));

    /// <summary>Notes how far behind the group is now.</summary>
    public void NoteLag()
    {
        lock (_sync)
        {
            _lags.Add(new LagMoment(_clock.UnixMs, [.. _shards.Select(shard =>
            {
                var lag = shard.Partition!.LagOf(shard.Progress);
                return new PartitionLag(shard.Partition.HighWatermark, shard.Progress.Committed, lag.Records, (float)lag.Seconds);
            })]));
        }
    }

    /// <summary>How far behind the group was, from a wall time on; nothing for shards of input.</summary>
    /// <param name="sinceUnixMs">The beginning.</param>
    /// <param name="stepMs">At most one moment for each step; 0: as fine as they are kept.</param>
    public IReadOnlyList<LagMoment> LagsSince(long sinceUnixMs, long stepMs)
    {
        lock (_sync)
            return _lags.Since(sinceUnixMs, stepMs);
    }

    private void Restore(StoredGroup stored)
    {
        _generation = stored.Generation;
        _paused = stored.Paused;
        foreach (var progress in stored.Shards.Where(progress => progress.Shard < _shards.Length))
        {
            var shard = _shards[progress.Shard];
            // Records that were lost with an unsynced tail will come again under the same numbers.
            shard.Progress.Committed = shard.Partition is { } partition ? Math.Min(progress.Committed, partition.HighWatermark) : progress.Committed;
            shard.Progress.CommittedUnixMs = progress.CommittedUnixMs;
            shard.Progress.GapRecords = progress.GapRecords;
        }
    }

    private static ShardStatus Describe(Shard shard) => new(
        shard.Number,
        shard.Owner?.Id ?? "",
        shard.Progress.Committed,
        shard.Partition?.LagOf(shard.Progress) ?? default,
        shard.Progress.CommittedUnixMs,
        shard.Progress.GapRecords);

    private static long ResetTo(PartitionLog partition, ReadFrom? to)
    {
        if (to is null)
            return -1;
        if (to is ReadFrom.Offset offset && offset.Value < partition.StartOffset)
        {
            throw new BrokerException(
                ErrorCode.OffsetOutOfRange,
                $"offset {offset.Value} is before the start of partition {partition.Partition}, which has {partition.StartOffset} to {partition.HighWatermark}");
        }
        return PartitionCursor.Open(partition, to).Next;
    }
}

/// <summary>A committed offset that is moved.</summary>
internal readonly record struct OffsetMove(int Partition, long From, long To);

/// <summary>A group as people are told of it.</summary>
internal sealed record GroupStatus(
    string Group, string Topic, bool DividesInput, long Generation, IReadOnlyList<MemberStatus> Members, IReadOnlyList<ShardStatus> Shards, bool Paused);

/// <summary>A member as people are told of it.</summary>
internal sealed record MemberStatus(string MemberId, string Client, long JoinedUnixMs);

/// <summary>A shard as people are told of it.</summary>
internal readonly record struct ShardStatus(int Shard, string MemberId, long Committed, Lag Lag, long CommittedUnixMs, long GapRecords);
