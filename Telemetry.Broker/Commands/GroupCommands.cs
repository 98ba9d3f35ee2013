using System.CommandLine;
using Telemetry.Broker.Log;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Broker.Commands;

/// <summary><c>groups</c>: who reads, how far behind, and a way to hold a group, move it or forget it.</summary>
internal static class GroupCommands
{
    private static readonly TimeSpan HistoryDefault = TimeSpan.FromHours(1);

    /// <summary>The command with its subcommands.</summary>
    public static Command Create(CommandRunner runner) => new("groups", "Consumer groups, and groups of streamers that divide an input.")
    {
        List(runner),
        Describe(runner),
        ResetCommand.Create(runner),
        Pause(runner, "pause", "Takes all partitions from a group's members, who stay and wait until it is resumed. Kept over restarts of a broker with DATA_PATH.", paused: true),
        Pause(runner, "resume", "Gives a paused group's partitions out to its members again.", paused: false),
        Delete(runner),
    };

    /// <summary>The argument that names a group.</summary>
    internal static NameArgument Group() => new("GROUP", "The name of a group.", Names.Group);

    internal static Func<ParseResult, string> Subject(NameArgument group) => line => $"group '{line.GetValue(group)}'";

    private static Command List(CommandRunner runner)
    {
        var command = new Command("list", "All groups.");
        runner.Act(command, _ => "", async (session, _) =>
        {
            var groups = (await session.Admin.ListGroupsAsync(new ListGroupsRequest(), session.Call)).Groups;
            await session.AnswerAsync(new GroupsAnswer([.. groups.Select(GroupAnswer.Of)]), CommandJson.Default.GroupsAnswer, GroupTables.Write);
        });
        return command;
    }

    private static Command Describe(CommandRunner runner)
    {
        var group = Group();
        var history = new ValueOption<TimeSpan>(
            "--history", $"Also how far it had read before, for so long; without a duration {Durations.Format(HistoryDefault)}. Needs a broker with DATA_PATH.",
            Accepted.Duration(TimeSpan.FromMilliseconds(1), GroupLog.HistoryMax), "duration")
        { Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("describe", "A group: its members, and how far each partition is read and by whom.") { group, history };
        runner.Act(command, Subject(group), async (session, line) =>
        {
            var last = line.GetResult(history) switch { null => TimeSpan.Zero, { Tokens.Count: 0 } => HistoryDefault, _ => line.GetValue(history) };
            var request = new DescribeGroupRequest { Group = line.GetRequiredValue(group), HistoryMs = (long)last.TotalMilliseconds };
            var found = await session.Admin.DescribeGroupAsync(request, session.Call);
            var answer = GroupAnswer.Of(found) with { History = last > TimeSpan.Zero ? [.. found.History.Select(OffsetPointAnswer.Of)] : null };
            await session.AnswerAsync(answer, CommandJson.Default.GroupAnswer, GroupTables.Write);
        });
        return command;
    }

    private static Command Pause(CommandRunner runner, string name, string description, bool paused)
    {
        var group = Group();
        var command = new Command(name, description) { group };
        runner.Act(command, Subject(group), async (session, line) =>
        {
            var now = await session.Admin.PauseGroupAsync(new PauseGroupRequest { Group = line.GetValue(group), Paused = paused }, session.Call);
            await session.AnswerAsync(GroupAnswer.Of(now), CommandJson.Default.GroupAnswer, (answer, report) =>
            {
                var owned = answer.Shards.Count - answer.Unowned;
                var rest = paused switch
                {
                    true when owned > 0 => $"{Figures.Of(answer.Members.Count, "member")} still to give back {Figures.Of(owned, answer.ShardNoun)}",
                    true => $"nobody owns any of its {Figures.Of(answer.Shards.Count, answer.ShardNoun)}",
                    false => $"{Figures.Of(answer.Members.Count, "member")}, {Figures.Of(owned, answer.ShardNoun)} of {Figures.Count(answer.Shards.Count)} given out",
                };
                report.Line($"{(paused ? "paused" : "resumed")} group '{answer.Group}': {rest}");
            });
        });
        return command;
    }

    private static Command Delete(CommandRunner runner)
    {
        var group = Group();
        var command = new Command("delete", "Forgets a group and how far it has read; refused while it has members.") { group };
        runner.Act(command, Subject(group), async (session, line) =>
        {
            var name = line.GetValue(group);
            var found = await session.Admin.DescribeGroupAsync(new DescribeGroupRequest { Group = name }, session.Call);
            await session.Admin.DeleteGroupAsync(new DeleteGroupRequest { Group = name }, session.Call);
            var answer = new GroupDeletedAnswer(found.Group, true, found.Topic, found.Shards.Count);
            await session.AnswerAsync(answer, CommandJson.Default.GroupDeletedAnswer, (deleted, report) => report.Line(
                $"deleted group '{deleted.Group}' of topic '{deleted.Topic}' and how far it had read {Figures.Of(deleted.Shards, found.DividesInput ? "shard" : "partition")}"));
        });
        return command;
    }
}
