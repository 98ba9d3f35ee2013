using System.Runtime.InteropServices;

namespace Telemetry.Broker.Groups;

/// <summary>
/// How far behind a group was, moment by moment: every ten seconds for an hour, every minute for a day, in memory. Of the moments
/// that a longer one stands for, it has the largest lag and the last offsets. Not thread-safe.
/// </summary>
internal sealed class LagHistory
{
    /// <summary>How often it is looked how far behind a group is.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(10);

    /// <summary>How long each of these looks is kept.</summary>
    public static readonly TimeSpan StepsMax = TimeSpan.FromHours(1);

    /// <summary>How long a look a minute is kept.</summary>
    public static readonly TimeSpan MinutesMax = TimeSpan.FromHours(24);

    private const long MinuteMs = 60_000;

    private Queue<LagMoment> _steps = new();
    private Queue<LagMoment> _minutes = new();
    private LagMoment? _minute; // the one that is not over

    /// <summary>Notes a moment. Where the wall clock was set back, what was noted of the time that comes again is forgotten.</summary>
    public void Add(LagMoment moment)
    {
        if (_minute is { } last && moment.UnixMs < last.UnixMs)
        {
            _steps = new(_steps.Where(one => one.UnixMs < moment.UnixMs));
            _minutes = new(_minutes.Where(one => one.UnixMs < moment.UnixMs));
            _minute = null;
        }
        _steps.Enqueue(moment);
        Drop(_steps, moment.UnixMs - (long)StepsMax.TotalMilliseconds);
        if (_minute is { } before && before.UnixMs / MinuteMs != moment.UnixMs / MinuteMs)
        {
            _minutes.Enqueue(before);
            _minute = null;
        }
        Drop(_minutes, moment.UnixMs - (long)MinutesMax.TotalMilliseconds);
        _minute = _minute is { } same ? same.With(moment) : moment;
    }

    /// <summary>The moments from a wall time on, in order, with at most one for each step of time.</summary>
    /// <param name="sinceUnixMs">The beginning.</param>
    /// <param name="stepMs">The step; 0: as fine as they are kept.</param>
    public IReadOnlyList<LagMoment> Since(long sinceUnixMs, long stepMs)
    {
        var fineFrom = _steps.TryPeek(out var first) ? first.UnixMs : long.MaxValue;
        var found = new List<LagMoment>();
        // A minute that is kept in steps too is told by them.
        foreach (var moment in _minutes.Where(minute => minute.UnixMs < fineFrom).Concat(_steps).Where(moment => moment.UnixMs >= sinceUnixMs))
        {
            if (found.Count > 0 && stepMs > 0 && found[^1].UnixMs / stepMs == moment.UnixMs / stepMs)
                found[^1] = found[^1].With(moment);
            else
                found.Add(moment);
        }
        return found;
    }

    private static void Drop(Queue<LagMoment> moments, long beforeUnixMs)
    {
        while (moments.TryPeek(out var oldest) && oldest.UnixMs < beforeUnixMs)
            moments.Dequeue();
    }
}

/// <summary>How far behind a group was at a moment, in each of its partitions.</summary>
/// <param name="UnixMs">Wall time.</param>
/// <param name="Partitions">By partition.</param>
internal readonly record struct LagMoment(long UnixMs, PartitionLag[] Partitions)
{
    /// <summary>Both as one: the later offsets, and the larger lag of each partition.</summary>
    public LagMoment With(LagMoment later)
    {
        var both = new PartitionLag[later.Partitions.Length];
        for (var i = 0; i < both.Length; i++)
        {
            var next = later.Partitions[i];
            // A partition that was added meanwhile has no earlier lag.
            var before = i < Partitions.Length ? Partitions[i] : next;
            both[i] = next with { Records = Math.Max(before.Records, next.Records), Seconds = Math.Max(before.Seconds, next.Seconds) };
        }
        return new LagMoment(later.UnixMs, both);
    }
}

/// <summary>How far behind a group was in a partition.</summary>
/// <param name="HighWatermark">The offset after the newest acknowledged record.</param>
/// <param name="Committed">The offset that the group reads next; -1: none was committed.</param>
/// <param name="Records">Records that were not committed yet.</param>
/// <param name="Seconds">The age of the oldest of them.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PartitionLag(long HighWatermark, long Committed, long Records, float Seconds);
