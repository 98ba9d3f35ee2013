using System.CommandLine;
using System.Globalization;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Broker.Commands;

/// <summary><c>peek</c>: records of a partition, without a group. They are decoded here; the broker never looks inside a batch.</summary>
internal static class PeekCommand
{
    private const int CountDefault = 10, CountMax = 100_000, BatchesMax = 100;

    private static readonly Column[] Columns = [new("offset", true), new("appended"), new("timestamp"), new("host"), new("gpu"), new("metrics")];

    /// <summary>The command, with its options.</summary>
    public static Command Create(CommandRunner runner)
    {
        var topic = TopicCommands.Topic();
        var partition = new ValueOption<int>("--partition", "The partition.", Accepted.WholeNumber(0, int.MaxValue), "number") { Required = true };
        var offset = new ValueOption<long>("--offset", "The first record; without it the oldest.", Accepted.WholeNumber(0L, long.MaxValue), "offset");
        var count = new ValueOption<int>("--count", $"At most so many records. Default {CountDefault}.", Accepted.WholeNumber(1, CountMax), "number");
        var command = new Command("peek", "Shows records of a partition, without a group and without moving anything.") { topic, partition, offset, count };
        runner.Act(command, line => $"topic '{line.GetValue(topic)}', partition {line.GetValue(partition)}", async (session, line) =>
        {
            var first = new PeekRequest { Topic = line.GetRequiredValue(topic), Partition = line.GetValue(partition), Offset = line.GetValue(offset) };
            var answer = await ReadAsync(session, first, line.GetResult(count) is null ? CountDefault : line.GetValue(count));
            await session.AnswerAsync(answer, CommandJson.Default.PeekAnswer, (found, report) => Write(found, first.Offset, report));
        });
        return command;
    }

    private static async Task<PeekAnswer> ReadAsync(AdminSession session, PeekRequest request, int count)
    {
        var page = new PeekPage(request.Offset, count);
        var next = request.Clone();
        PeekResponse response;
        do
        {
            next.Offset = page.NextOffset;
            next.BatchesMax = Math.Min(page.Left, BatchesMax);
            response = await session.Admin.PeekAsync(next, session.Call);
        }
        while (page.TryAdd(response));
        return new PeekAnswer(request.Topic, request.Partition, response.LogStartOffset, response.HighWatermark, page.Records, page.Unreadable);
    }

    private static void Write(PeekAnswer answer, long asked, TextReport report)
    {
        report.Line($"topic '{answer.Topic}', partition {answer.Partition}: offsets {Figures.Count(answer.LogStartOffset)} to {Figures.Count(answer.HighWatermark)}");
        if (asked > 0 && asked < answer.LogStartOffset)
            report.Line(new Cell($"offset {Figures.Count(asked)} is no longer there", Tone.Notice));
        if (answer.Records.Count + answer.Unreadable.Count == 0)
        {
            report.Line(asked > answer.HighWatermark ? $"offset {Figures.Count(asked)} is beyond the end" : "there are no records from there on");
            return;
        }
        report.Line();
        report.Table(Columns, answer.Records.Select(record => (record.Offset, Row(record)))
            .Concat(answer.Unreadable.Select(hole => (hole.FromOffset, Row(hole))))
            .OrderBy(row => row.Item1)
            .Select(row => row.Item2));
    }

    private static Cell[] Row(RecordAnswer record) =>
    [
        Figures.Count(record.Offset),
        Figures.Rfc3339(record.AppendedAt),
        Figures.Rfc3339(record.Timestamp),
        record.HostId,
        record.GpuId,
        record.Poisoned ? new Cell($"{Metrics(record)} (a value that is not finite is left out)", Tone.Alarm) : Metrics(record),
    ];

    private static Cell[] Row(UnreadableAnswer hole) =>
    [
        new(Figures.Count(hole.FromOffset), Tone.Alarm),
        Figures.Time(hole.AppendedAt),
        Figures.None,
        Figures.None,
        Figures.None,
        new($"{Figures.Of(hole.ToOffset - hole.FromOffset, "record")}, {Figures.Of(hole.Bytes, "byte")}: {hole.Reason}", Tone.Alarm),
    ];

    private static string Metrics(RecordAnswer record) =>
        string.Join(' ', record.Metrics.Select(metric => string.Create(CultureInfo.InvariantCulture, $"{metric.Key}={metric.Value}")));
}
