using System.Text.Json.Serialization;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Commands;

/// <summary>All groups.</summary>
internal sealed record GroupsAnswer(IReadOnlyList<GroupAnswer> Groups);

/// <summary>A group; names are those of the gateway's <c>/api/v1/pipeline</c>.</summary>
internal sealed record GroupAnswer(
    string Group,
    string Topic,
    bool DividesInput,
    bool Paused,
    long Generation,
    long LagRecords,
    double LagSeconds,
    long GapRecords,
    IReadOnlyList<MemberAnswer> Members,
    IReadOnlyList<ShardAnswer> Shards,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<OffsetPointAnswer>? History = null)
{
    /// <summary>What its shards are called.</summary>
    public string ShardNoun => DividesInput ? "shard" : "partition";

    /// <summary>Shards that nobody owns.</summary>
    public int Unowned => Shards.Count(shard => shard.MemberId is null);

    public static GroupAnswer Of(GroupDescription group)
    {
        var shards = group.Shards.Select(ShardAnswer.Of).ToList();
        return new GroupAnswer(
            group.Group,
            group.Topic,
            group.DividesInput,
            group.Paused,
            group.Generation,
            shards.Sum(shard => shard.LagRecords),
            shards.Select(shard => shard.LagSeconds).DefaultIfEmpty().Max(),
            shards.Sum(shard => shard.GapRecords),
            [.. group.Members.Select(MemberAnswer.Of)],
            shards);
    }
}

/// <summary>A member of a group.</summary>
internal sealed record MemberAnswer(string MemberId, string Client, DateTimeOffset? JoinedAt)
{
    public static MemberAnswer Of(MemberDescription member) => new(member.MemberId, member.Client, Figures.AtOrNever(member.JoinedUnixMs));
}

/// <summary>A partition as a group reads it, or a shard of an input; null is nobody, or never.</summary>
internal sealed record ShardAnswer(
    int Shard, string? MemberId, long? CommittedOffset, DateTimeOffset? CommittedAt, long LagRecords, double LagSeconds, long GapRecords)
{
    public static ShardAnswer Of(ShardDescription shard) => new(
        shard.Shard,
        shard.MemberId.Length == 0 ? null : shard.MemberId,
        Figures.OffsetOrNone(shard.CommittedOffset),
        Figures.AtOrNever(shard.CommittedUnixMs),
        shard.LagRecords,
        Math.Round(Figures.Finite(shard.LagSeconds), 1),
        shard.GapRecords);
}

/// <summary>How far a group had read a shard from a time on; null is none.</summary>
internal sealed record OffsetPointAnswer(DateTimeOffset At, int Shard, long? CommittedOffset)
{
    public static OffsetPointAnswer Of(OffsetPoint point) => new(Figures.At(point.UnixMs), point.Shard, Figures.OffsetOrNone(point.CommittedOffset));
}

/// <summary>A group that was deleted.</summary>
internal sealed record GroupDeletedAnswer(string Group, bool Deleted, string Topic, int Shards);

/// <summary>Where a group's offsets were moved, or would be.</summary>
internal sealed record ResetAnswer(string Group, bool DryRun, IReadOnlyList<OffsetResetAnswer> Resets);

/// <summary>A partition's committed offset, before and after; null is none.</summary>
internal sealed record OffsetResetAnswer(int Partition, long? FromOffset, long? ToOffset);
