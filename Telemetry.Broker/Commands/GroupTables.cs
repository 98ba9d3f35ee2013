namespace Telemetry.Broker.Commands;

/// <summary>Groups as tables.</summary>
internal static class GroupTables
{
    private static readonly Column[] ListColumns =
    [
        new("group"), new("topic"), new("state"), new("members", true), new("shards", true), new("no owner", true),
        new("lag", true), new("lag seconds", true), new("gap", true),
    ];

    private static readonly Column[] MemberColumns = [new("member"), new("client"), new("since")];

    private static readonly Column[] ShardColumns =
    [
        new("partition", true), new("member"), new("committed", true), new("last commit"), new("lag", true), new("lag seconds", true), new("gap", true),
    ];

    private static readonly Column[] InputColumns = [new("shard", true), new("member"), new("committed", true), new("last commit")];

    private static readonly Column[] HistoryColumns = [new("from"), new("partition", true), new("committed", true)];

    private static readonly Column[] InputHistoryColumns = [new("from"), new("shard", true), new("committed", true)];

    /// <summary>A line for each group.</summary>
    public static void Write(GroupsAnswer answer, TextReport report)
    {
        if (answer.Groups.Count == 0)
            report.Line("there are no groups");
        else
            report.Table(ListColumns, answer.Groups.Select(Row));
    }

    /// <summary>A group with its members and its shards.</summary>
    public static void Write(GroupAnswer group, TextReport report)
    {
        report.Line($"group       {group.Group}");
        report.Line($"topic       {group.Topic}{(group.DividesInput ? $", an input of {Figures.Of(group.Shards.Count, "shard")}" : "")}");
        report.Line("state       ", State(group));
        report.Line($"generation  {Figures.Count(group.Generation)}");
        report.Line();
        if (group.Members.Count > 0)
        {
            report.Table(MemberColumns, group.Members.Select(member => new Cell[] { member.MemberId, member.Client, Figures.Time(member.JoinedAt) }));
            report.Line();
        }
        report.Table(group.DividesInput ? InputColumns : ShardColumns, group.Shards.Select(shard => Row(group, shard)));
        if (group.History is not { } history)
            return;
        report.Line();
        if (history.Count == 0)
            report.Line("nothing was committed in that time");
        else
            report.Table(group.DividesInput ? InputHistoryColumns : HistoryColumns, history.Select(point => new Cell[] { Figures.Rfc3339(point.At), Figures.Count(point.Shard), Figures.Count(point.CommittedOffset) }));
    }

    private static Cell[] Row(GroupAnswer group) =>
    [
        group.Group,
        group.Topic,
        State(group),
        Figures.Count(group.Members.Count),
        Figures.Count(group.Shards.Count),
        new Cell(Figures.Count(group.Unowned), group.Unowned > 0 ? Unowned(group) : Tone.Plain),
        .. Lag(group.DividesInput, group.LagRecords, group.LagSeconds, group.GapRecords),
    ];

    private static Cell[] Row(GroupAnswer group, ShardAnswer shard)
    {
        Cell[] owner =
        [
            Figures.Count(shard.Shard),
            shard.MemberId is { } member ? member : new Cell("nobody", Unowned(group)),
            Figures.Count(shard.CommittedOffset),
            Figures.Time(shard.CommittedAt),
        ];
        return group.DividesInput ? owner : [.. owner, .. Lag(false, shard.LagRecords, shard.LagSeconds, shard.GapRecords)];
    }

    private static Cell[] Lag(bool isInput, long records, double seconds, long gap)
    {
        if (isInput)
            return [Figures.None, Figures.None, Figures.None];
        var tone = records > 0 ? Tone.Notice : Tone.Plain;
        return [new Cell(Figures.Count(records), tone), new Cell(Figures.Tenths(seconds), tone), new Cell(Figures.Count(gap), gap > 0 ? Tone.Alarm : Tone.Plain)];
    }

    private static Cell State(GroupAnswer group) => group switch
    {
        { Paused: true } => new Cell("paused", Tone.Notice),
        { Members.Count: 0 } => new Cell("no members", Tone.Alarm),
        _ => "active",
    };

    /// <summary>That nobody owns a shard of a paused group is as it was meant.</summary>
    private static Tone Unowned(GroupAnswer group) => group.Paused ? Tone.Notice : Tone.Alarm;
}
