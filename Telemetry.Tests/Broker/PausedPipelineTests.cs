using Microsoft.Extensions.Hosting;
using Telemetry.Collector;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage.Queries;
using Telemetry.Streamer;
using Telemetry.Tests.Streamer;

namespace Telemetry.Tests.Broker;

/// <summary>A streamer and a collector whose groups are paused: both wait, go on when they may, and lose and repeat nothing.</summary>
public sealed class PausedPipelineTests : IDisposable
{
    private const int RowsMax = 2_000;

    private readonly TestInput _files = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Both_clients_wait_while_their_groups_are_paused_and_then_carry_every_row_once()
    {
        _files.Write(TestInput.WideHeader + string.Concat(Enumerable.Range(0, RowsMax).Select(
            i => $"2025-07-18T20:{i / 60 % 60:00}:{i % 60:00}Z,host{i % 37},{i % 8},u{i % 37},{i % 100},{i % 90}\n")));
        await using var broker = await RunningBroker.StartAsync();
        var database = Path.Combine(_files.Folder, "telemetry.db");
        await using var collector = CollectorApp.Build(new CollectorOptions
        {
            MessageQueueAddress = broker.Address.Authority,
            DatabasePath = database,
            MetricsPort = 0,
            PollInterval = TimeSpan.FromMilliseconds(5),
            LogLevel = LogVerbosity.Error,
        });
        await collector.StartAsync(Cancel);
        await using var streamer = StreamerApp.Build(_files.Options with
        {
            QueueAddr = broker.Address.Authority,
            StreamInterval = TimeSpan.FromMilliseconds(10),
            BatchSize = 5,
            LogLevel = LogVerbosity.Error,
        });
        await streamer.StartAsync(Cancel);
        await Eventually.Is(() => Records(broker) > 100 && Group(broker, "collectors").Shards.Sum(shard => shard.Committed) > 100);

        var input = broker.Core.Groups.All.Single(group => group.DividesInput).Name;
        await PauseAsync(broker, "collectors");
        await PauseAsync(broker, input);
        var (sent, read) = (Records(broker), Committed(broker));
        Assert.InRange(sent, 100, RowsMax - 1);
        Assert.False(streamer.Lifetime.ApplicationStopping.IsCancellationRequested);
        Assert.Single(Group(broker, input).Members);
        Assert.Single(Group(broker, "collectors").Members);

        await ResumeAsync(broker, "collectors");
        await Eventually.Is(() => Committed(broker) == sent);
        Assert.True(read <= sent);
        Assert.Equal(sent, Records(broker)); // the streamer's group is still paused
        await ResumeAsync(broker, input);
        await streamer.WaitForShutdownAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal(RowsMax, Records(broker));
        await Eventually.Is(() => Committed(broker) == RowsMax);
        await collector.StopAsync(Cancel);

        using var reader = new TelemetryReader(database);
        var rows = (await reader.RowsAsync(new RowQuery { Limit = RowsMax + 1 }, Cancel)).Rows;
        Assert.Equal(RowsMax, rows.Count);
        Assert.Equal(RowsMax, rows.Select(row => (row.Timestamp, row.Gpu.HostId, row.Gpu.GpuId)).Distinct().Count());
    }

    private static long Records(RunningBroker broker) => broker.Core.Topics.Partitions.Sum(partition => partition.HighWatermark);

    private static long Committed(RunningBroker broker) => Group(broker, "collectors").Shards.Sum(shard => Math.Max(0, shard.Committed));

    private static Telemetry.Broker.Groups.GroupStatus Group(RunningBroker broker, string name) => broker.Core.Groups.Get(name).Describe();

    private static async Task PauseAsync(RunningBroker broker, string group)
    {
        await broker.Admin.PauseGroupAsync(new PauseGroupRequest { Group = group, Paused = true }, cancellationToken: Cancel);
        await Eventually.Is(() => Group(broker, group).Shards.All(shard => shard.MemberId.Length == 0));
    }

    private static async Task ResumeAsync(RunningBroker broker, string group) =>
        await broker.Admin.PauseGroupAsync(new PauseGroupRequest { Group = group }, cancellationToken: Cancel);
}
