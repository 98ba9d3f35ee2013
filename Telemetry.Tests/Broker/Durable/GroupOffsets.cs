using Telemetry.Broker.Groups;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Durable;

internal static class GroupOffsets
{
    /// <summary>Moves a group with members to an offset in every partition.</summary>
    public static void CommitAll(this Group group, long offset)
    {
        var status = group.Describe();
        foreach (var shard in status.Shards)
            Assert.Equal(ErrorCode.Ok, group.Commit(shard.MemberId, shard.Shard, offset, status.Generation).Error);
    }
}
