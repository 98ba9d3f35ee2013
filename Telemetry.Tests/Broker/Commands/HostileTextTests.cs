using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Tests.Broker.Commands;

/// <summary>Text that comes from elsewhere never steers the terminal that it is shown in.</summary>
public sealed class HostileTextTests
{
    private const string Evil = "a\e[2J\u009b31m\u202eb\u2028\r\nc\a";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("plain text 1,234 -_./:", "plain text 1,234 -_./:")]
    [InlineData("Zürich 東京 😀", "Zürich 東京 😀")]
    [InlineData(Evil, @"a\u001b[2J\u009b31m\u202eb\u2028\u000d\u000ac\u0007")]
    [InlineData("\U000e0041", @"\ue0041")]
    public void What_does_not_print_is_written_as_its_number(string text, string expected) => Assert.Equal(expected, PrintableText.Of(text));

    [Fact]
    public void Half_a_character_is_replaced() => Assert.Equal("\ufffdx", PrintableText.Of("\ud800x"));

    [Fact]
    public void A_line_has_a_bound() => Assert.Equal(1003, PrintableText.Line(new string('x', 100_000)).Length);

    [Theory]
    [InlineData("node-1", 6)]
    [InlineData("Zürich", 6)]
    [InlineData("東京", 4)]
    [InlineData("ノード", 6)]
    [InlineData("ﾉｰﾄﾞ", 4)] // half as wide
    [InlineData("Ａ１", 4)] // full width
    [InlineData("서울", 4)]
    [InlineData("\u1109\u1165", 2)] // one syllable in two parts
    [InlineData("e\u0301", 1)] // a letter and its accent
    [InlineData("😀⚡", 4)]
    [InlineData("–█…°❄", 5)]
    public void Columns_are_counted_as_a_terminal_does(string text, int columns) => Assert.Equal(columns, PrintableText.Width(text));

    [Theory]
    [InlineData("node-1", 6, "node-1")]
    [InlineData("node-1", 5, "node…")]
    [InlineData("node-1", 1, "…")]
    [InlineData("node-1", 0, "")]
    [InlineData("", 0, "")]
    [InlineData("東京都", 6, "東京都")]
    [InlineData("東京都", 5, "東京…")]
    [InlineData("東京都", 4, "東…")] // half a character is none
    [InlineData("e\u0301e\u0301e\u0301", 2, "e\u0301…")]
    public void Text_is_cut_at_a_column(string text, int columns, string expected) => Assert.Equal(expected, PrintableText.Cut(text, columns));

    [Fact]
    public async Task Columns_of_a_table_stand_below_each_other_whatever_a_host_is_called()
    {
        await using var broker = await CommandRuns.StartAsync();
        await broker.PublishAsync(CommandRuns.Sample(1, "東京-1", new MetricValue("power_w", 5)), CommandRuns.Sample(2, "node-22", new MetricValue("power_w", 5)));
        var lines = (await broker.RunAsync("peek", "telemetry", "--partition", "0")).Text.Split('\n')[2..];
        Assert.EndsWith("  host     gpu  metrics", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("  東京-1   7    power_w=5", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("  node-22  7    power_w=5", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hosts_and_metrics_in_records_are_shown_without_what_steers()
    {
        await using var broker = await CommandRuns.StartAsync();
        await broker.PublishAsync(CommandRuns.Sample(1, Evil, new MetricValue("power" + Evil, 5)));
        var table = await CommandRun.OfAsync(["peek", "telemetry", "--partition", "0", "--address", broker.Address.Authority], colours: true);
        AssertHarmless(table.Out.Replace("\e[2m", "", StringComparison.Ordinal).Replace("\e[0m", "", StringComparison.Ordinal));
        Assert.Contains(@"a\u001b[2J", table.Out, StringComparison.Ordinal);
        var json = await broker.RunAsync("peek", "telemetry", "--partition", "0", "-o", "json");
        AssertHarmless(json.Out);
        Assert.Equal(Evil, json.Json.GetProperty("records")[0].GetProperty("host_id").GetString());
    }

    [Fact]
    public async Task Names_clients_and_refusals_of_a_hostile_broker_are_shown_without_what_steers()
    {
        await using var app = await StartHostileAsync();
        var address = app.BoundAddresses()[0].Authority;
        string[][] commands =
        [
            ["topics", "list"], ["topics", "describe", "x"], ["topics", "create", "x"], ["groups", "list"], ["groups", "describe", "x"],
            ["groups", "pause", "x"], ["topics", "list", "-o", "json"], ["groups", "describe", "x", "-o", "json"],
        ];
        foreach (var command in commands)
        {
            var run = await CommandRun.OfAsync([.. command, "--address", address]);
            Assert.Equal(0, run.Code);
            AssertHarmless(run.Out);
        }
        AssertHarmless((await CommandRun.OfAsync(["groups", "delete", "x", "--address", address])).Refusal(1));
        AssertHarmless((await CommandRun.OfAsync(["peek", "x", "--partition", "0", "--address", address])).Refusal(1));
    }

    [Fact]
    public async Task What_was_typed_is_repeated_without_what_steers()
    {
        AssertHarmless((await CommandRun.OfAsync(["topics", Evil])).Refusal(2));
        AssertHarmless((await CommandRun.OfAsync(["topics", "list", "--address", Evil])).Refusal(2));
        AssertHarmless((await CommandRun.OfAsync(["topics", "list"], name => name == "MESSAGEQUEUE_ADDR" ? Evil : null)).Refusal(2));
    }

    private static void AssertHarmless(string text) => Assert.DoesNotContain(text, c => c != '\n' && (char.IsControl(c) || c is '\u202e' or '\u2028'));

    private static async Task<WebApplication> StartHostileAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.MapGrpcService<HostileAdmin>();
        await app.StartAsync(Cancel);
        return app;
    }

    private sealed class HostileAdmin : QueueAdmin.QueueAdminBase
    {
        private static TopicDescription Topic => new()
        {
            Topic = Evil,
            TopicId = ByteString.CopyFrom(1),
            CreatedUnixMs = long.MaxValue,
            Partitions = { new PartitionDescription { LastAppendUnixMs = long.MinValue, AppendedPerSecond = double.NaN, HighWatermark = long.MinValue } },
        };

        private static GroupDescription Group => new()
        {
            Group = Evil,
            Topic = Evil,
            Members = { new MemberDescription { MemberId = Evil, Client = Evil, JoinedUnixMs = long.MaxValue } },
            Shards = { new ShardDescription { MemberId = Evil, LagSeconds = double.PositiveInfinity, LagRecords = long.MinValue } },
        };

        public override Task<ListTopicsResponse> ListTopics(ListTopicsRequest request, ServerCallContext context) =>
            Task.FromResult(new ListTopicsResponse { Topics = { Topic, new TopicDescription { Topic = "without partitions" } } });

        public override Task<TopicDescription> DescribeTopic(DescribeTopicRequest request, ServerCallContext context) => Task.FromResult(Topic);

        public override Task<TopicDescription> CreateTopic(CreateTopicRequest request, ServerCallContext context) => Task.FromResult(Topic);

        public override Task<ListGroupsResponse> ListGroups(ListGroupsRequest request, ServerCallContext context) =>
            Task.FromResult(new ListGroupsResponse { Groups = { Group, new GroupDescription { Group = "without shards" } } });

        public override Task<GroupDescription> DescribeGroup(DescribeGroupRequest request, ServerCallContext context) => Task.FromResult(Group);

        public override Task<GroupDescription> PauseGroup(PauseGroupRequest request, ServerCallContext context) => Task.FromResult(Group);

        public override Task<DeleteGroupResponse> DeleteGroup(DeleteGroupRequest request, ServerCallContext context) =>
            throw new RpcException(new Status(StatusCode.FailedPrecondition, Evil), new Metadata { { "queue-error", "GROUP_ACTIVE" } });

        public override Task<PeekResponse> Peek(PeekRequest request, ServerCallContext context) =>
            throw new RpcException(new Status(StatusCode.Internal, Evil));
    }
}
