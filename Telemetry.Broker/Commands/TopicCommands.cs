using System.CommandLine;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Broker.Commands;

/// <summary><c>topics</c>: what the broker holds.</summary>
internal static class TopicCommands
{
    private static readonly Column[] ListColumns =
    [
        new("topic"), new("partitions", true), new("records", true), new("bytes", true), new("records/s", true), new("last append"), new("expired unread", true),
    ];

    private static readonly Column[] PartitionColumns =
    [
        new("partition", true), new("log start", true), new("high watermark", true), new("records", true), new("bytes", true),
        new("records/s", true), new("last append"), new("expired unread", true), new("log epoch", true),
    ];

    /// <summary>The command with its subcommands.</summary>
    public static Command Create(CommandRunner runner) => new("topics", "Topics and their partitions.")
    {
        List(runner), Describe(runner), CreateTopic(runner), AddPartitions(runner), Delete(runner),
    };

    /// <summary>The argument that names a topic.</summary>
    internal static NameArgument Topic() => new("TOPIC", "The name of a topic.", Names.Topic);

    private static Command List(CommandRunner runner)
    {
        var command = new Command("list", "All topics.");
        runner.Act(command, _ => "", async (session, _) =>
        {
            var topics = (await session.Admin.ListTopicsAsync(new ListTopicsRequest(), session.Call)).Topics;
            await session.AnswerAsync(new TopicsAnswer([.. topics.Select(TopicAnswer.Of)]), CommandJson.Default.TopicsAnswer, Write);
        });
        return command;
    }

    private static Command Describe(CommandRunner runner)
    {
        var topic = Topic();
        var command = new Command("describe", "A topic, partition by partition.") { topic };
        runner.Act(command, Subject(topic), async (session, line) =>
        {
            var found = await session.Admin.DescribeTopicAsync(new DescribeTopicRequest { Topic = line.GetValue(topic) }, session.Call);
            await session.AnswerAsync(TopicAnswer.Of(found), CommandJson.Default.TopicAnswer, Write);
        });
        return command;
    }

    private static Command CreateTopic(CommandRunner runner)
    {
        var topic = Topic();
        var partitions = new ValueOption<int>(
            "--partitions", "How many partitions it gets. Without it as many as the broker's MAX_PARTITIONS.", Accepted.WholeNumber(1, BrokerLimits.PartitionsMax), "number");
        var command = new Command("create", "Makes a topic.") { topic, partitions };
        runner.Act(command, Subject(topic), async (session, line) =>
        {
            var made = await session.Admin.CreateTopicAsync(
                new CreateTopicRequest { Topic = line.GetRequiredValue(topic), Partitions = line.GetValue(partitions) }, session.Call);
            await session.AnswerAsync(TopicAnswer.Of(made), CommandJson.Default.TopicAnswer, (answer, report) =>
                report.Line($"created topic '{answer.Topic}' with {Figures.Of(answer.Partitions.Count, "partition")}"));
        });
        return command;
    }

    private static Command AddPartitions(CommandRunner runner)
    {
        var topic = Topic();
        var partitions = new ValueOption<int>("--partitions", "How many it has then: more than now.", Accepted.WholeNumber(1, BrokerLimits.PartitionsMax), "number") { Required = true };
        var command = new Command("add-partitions", "Gives a topic more partitions. Its records stay where they are; those to come are spread over all, also those of a GPU that was in another one so far.")
        {
            topic, partitions,
        };
        runner.Act(command, Subject(topic), async (session, line) =>
        {
            var grown = await session.Admin.AddPartitionsAsync(
                new AddPartitionsRequest { Topic = line.GetRequiredValue(topic), Partitions = line.GetValue(partitions) }, session.Call);
            await session.AnswerAsync(TopicAnswer.Of(grown), CommandJson.Default.TopicAnswer, (answer, report) =>
                report.Line($"topic '{answer.Topic}' has {Figures.Of(answer.Partitions.Count, "partition")} now"));
        });
        return command;
    }

    private static Command Delete(CommandRunner runner)
    {
        var topic = Topic();
        var command = new Command("delete", "Deletes a topic with its records and its groups, at once and for good.") { topic };
        runner.Act(command, Subject(topic), async (session, line) =>
        {
            var name = line.GetValue(topic);
            var found = TopicAnswer.Of(await session.Admin.DescribeTopicAsync(new DescribeTopicRequest { Topic = name }, session.Call));
            var groups = (await session.Admin.ListGroupsAsync(new ListGroupsRequest(), session.Call)).Groups.Where(group => group.Topic == name);
            var answer = new TopicDeletedAnswer(found.Topic, true, found.Partitions.Count, found.Records, [.. groups.Select(group => group.Group)]);
            await session.Admin.DeleteTopicAsync(new DeleteTopicRequest { Topic = name }, session.Call);
            await session.AnswerAsync(answer, CommandJson.Default.TopicDeletedAnswer, (deleted, report) =>
            {
                report.Line($"deleted topic '{deleted.Topic}' with {Figures.Of(deleted.Partitions, "partition")} and {Figures.Of(deleted.Records, "record")}");
                foreach (var group in deleted.Groups)
                    report.Line($"deleted group '{group}' with it");
            });
        });
        return command;
    }

    private static Func<ParseResult, string> Subject(NameArgument topic) => line => $"topic '{line.GetValue(topic)}'";

    private static void Write(TopicsAnswer answer, TextReport report)
    {
        if (answer.Topics.Count == 0)
            report.Line("there are no topics");
        else
            report.Table(ListColumns, answer.Topics.Select(Row));
    }

    private static Cell[] Row(TopicAnswer topic) =>
    [
        topic.Topic,
        Figures.Count(topic.Partitions.Count),
        Figures.Count(topic.Records),
        Figures.Count(topic.Bytes),
        Figures.Tenths(topic.AppendedPerSecond),
        Figures.Time(topic.Partitions.Max(partition => partition.LastAppendAt)),
        Lost(topic.Partitions.Sum(partition => partition.ExpiredUnread)),
    ];

    private static void Write(TopicAnswer topic, TextReport report)
    {
        report.Line($"topic    {topic.Topic}");
        report.Line($"id       {topic.TopicId}");
        report.Line($"created  {Figures.Time(topic.CreatedAt)}");
        report.Line();
        report.Table(PartitionColumns, topic.Partitions.Select(partition => new Cell[]
        {
            Figures.Count(partition.Partition),
            Figures.Count(partition.LogStartOffset),
            Figures.Count(partition.HighWatermark),
            Figures.Count(partition.Records),
            Figures.Count(partition.Bytes),
            Figures.Tenths(partition.AppendedPerSecond),
            Figures.Time(partition.LastAppendAt),
            Lost(partition.ExpiredUnread),
            Figures.Count(partition.LogEpoch),
        }));
    }

    private static Cell Lost(long records) => new(Figures.Count(records), records > 0 ? Tone.Alarm : Tone.Plain);
}
