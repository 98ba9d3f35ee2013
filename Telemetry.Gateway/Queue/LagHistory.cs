using Telemetry.Gateway.Answers;
using Telemetry.Messaging.V1;

namespace Telemetry.Gateway.Queue;

/// <summary>The moments that the queue tells of a group, as steps with rates.</summary>
internal static class LagHistory
{
    /// <summary>A group's history.</summary>
    public static GroupLagHistory Of(GroupDescription group)
    {
        var moments = group.LagHistory.GroupBy(point => point.UnixMs).OrderBy(moment => moment.Key).ToList();
        return new GroupLagHistory
        {
            Group = group.Group,
            Topic = group.Topic,
            Data = [.. moments.Select((moment, i) => Step(moment, i == 0 ? null : moments[i - 1]))],
            Partitions = [.. group.LagHistory.GroupBy(point => point.Partition).OrderBy(partition => partition.Key).Select(partition => new PartitionLagHistory
            {
                Partition = partition.Key,
                Data = [.. partition.OrderBy(point => point.UnixMs).Select(point => new PartitionLagStep
                {
                    Timestamp = DateTimeOffset.FromUnixTimeMilliseconds(point.UnixMs),
                    LagRecords = point.LagRecords,
                    LagSeconds = Rounded(point.LagSeconds),
                })],
            })],
        };
    }

    private static GroupLagStep Step(IGrouping<long, LagPoint> moment, IGrouping<long, LagPoint>? before) => new()
    {
        Timestamp = DateTimeOffset.FromUnixTimeMilliseconds(moment.Key),
        LagRecords = moment.Sum(point => point.LagRecords),
        LagSeconds = Rounded(moment.Max(point => point.LagSeconds)),
        AppendedPerSecond = Rate(moment, before, point => point.HighWatermark),
        CommittedPerSecond = Rate(moment, before, point => Math.Max(0, point.CommittedOffset)),
    };

    // An offset that went back is of another log, or was reset: that is no rate.
    private static double? Rate(IGrouping<long, LagPoint> moment, IGrouping<long, LagPoint>? before, Func<LagPoint, long> offset)
    {
        if (before is null)
            return null;
        var known = before.ToDictionary(point => point.Partition, offset);
        var moved = moment.Select(point => offset(point) - known.GetValueOrDefault(point.Partition)).ToList();
        return moved.Exists(records => records < 0) ? null : Rounded(moved.Sum() / ((moment.Key - before.Key) / 1000.0));
    }

    private static double Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 3) : 0;
}
