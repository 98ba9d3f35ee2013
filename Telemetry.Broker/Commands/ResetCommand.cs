using System.CommandLine;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Broker.Commands;

/// <summary><c>groups reset</c>: moves how far a group has read.</summary>
internal static class ResetCommand
{
    private static readonly Column[] Columns = [new("partition", true), new("from", true), new("to", true), new("records", true), new("")];

    /// <summary>The command, with its options.</summary>
    public static Command Create(CommandRunner runner)
    {
        var group = GroupCommands.Group();
        var offset = new ValueOption<long>("--to-offset", "Go on at this offset.", Accepted.WholeNumber(0L, long.MaxValue), "offset");
        var time = new ValueOption<DateTimeOffset>("--to-time", "Go on at the first batch that was appended at or after this time.", Accepted.Time, "time");
        var committedAt = new ValueOption<DateTimeOffset>(
            "--to-committed-at", "Go on where the group was at this time, as its history knows it: there, or somewhat before. Needs a broker with DATA_PATH.", Accepted.Time, "time");
        var earliest = new Option<bool>("--to-earliest") { Description = "Go on at the oldest record." };
        var latest = new Option<bool>("--to-latest") { Description = "Go on after the newest record." };
        var partitions = new ValuesOption<int>("--partition", "Which partitions; without it all.", Accepted.WholeNumber(0, int.MaxValue), "number");
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be done." };
        var command = new Command(
            "reset", "Moves how far a group has read: all of its partitions, or none when one is refused. Refused while the group has members.")
        {
            group, offset, time, committedAt, earliest, latest, partitions, dryRun,
        };
        Option[] targets = [offset, time, committedAt, earliest, latest];
        command.Validators.Add(result =>
        {
            if (targets.Count(target => result.GetResult(target) is { Implicit: false }) != 1)
                result.AddError($"{string.Join(", ", targets.Select(target => target.Name))}: expected exactly one of them");
        });
        runner.Act(command, GroupCommands.Subject(group), async (session, line) =>
        {
            var request = new ResetOffsetsRequest { Group = line.GetRequiredValue(group), DryRun = line.GetValue(dryRun), Partitions = { line.GetValue(partitions) ?? [] } };
            if (line.GetResult(offset) is not null)
                request.Offset = line.GetValue(offset);
            else if (line.GetResult(time) is not null)
                request.AppendTimeUnixMs = FirstMillisecond(line.GetValue(time));
            else if (line.GetResult(committedAt) is not null)
                request.CommittedAtUnixMs = line.GetValue(committedAt).ToUnixTimeMilliseconds();
            else if (line.GetValue(earliest))
                request.Earliest = true;
            else
                request.Latest = true;
            var response = await session.Admin.ResetOffsetsAsync(request, session.Call);
            var answer = new ResetAnswer(request.Group, request.DryRun, [.. response.Resets.Select(
                reset => new OffsetResetAnswer(reset.Partition, Figures.OffsetOrNone(reset.FromOffset), Figures.OffsetOrNone(reset.ToOffset)))]);
            await session.AnswerAsync(answer, CommandJson.Default.ResetAnswer, Write);
        });
        return command;
    }

    /// <summary>The first whole millisecond at or after a time: what was appended before it is not asked for.</summary>
    private static long FirstMillisecond(DateTimeOffset time) =>
        time.ToUnixTimeMilliseconds() + (time.Ticks % TimeSpan.TicksPerMillisecond == 0 ? 0 : 1);

    private static void Write(ResetAnswer answer, TextReport report)
    {
        var partitions = Figures.Of(answer.Resets.Count, "partition");
        report.Line(answer.DryRun
            ? $"dry run, nothing is changed: group '{answer.Group}' would be reset in {partitions}"
            : $"reset group '{answer.Group}' in {partitions}");
        report.Line();
        report.Table(Columns, answer.Resets.Select(Row));
    }

    private static Cell[] Row(OffsetResetAnswer reset)
    {
        var moved = reset.ToOffset - reset.FromOffset;
        return
        [
            Figures.Count(reset.Partition),
            Figures.Count(reset.FromOffset),
            Figures.Count(reset.ToOffset),
            moved is { } records ? Figures.Count(Math.Abs(records)) : Figures.None,
            moved switch
            {
                > 0 => new Cell("skipped", Tone.Notice),
                < 0 => "to be read again",
                _ => "",
            },
        ];
    }
}
