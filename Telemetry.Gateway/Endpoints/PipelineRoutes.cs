using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Queue;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Endpoints;

/// <summary>The pipeline's own state.</summary>
internal static class PipelineRoutes
{
    /// <summary>GET /api/v1/pipeline.</summary>
    public static readonly ApiRoute<PipelineAnswer> Pipeline = new()
    {
        Path = "/api/v1/pipeline",
        OperationId = "getPipeline",
        Tag = Tags.Operations,
        Summary = "Gets the state of the pipeline",
        Description = "The queue's topics, partitions and groups with offsets, rates and lag; how far the store has read; what it never got (gaps) and what it could not read (dead letters). Where the queue does not answer within two seconds, its section says so and the rest is still answered. Without MESSAGEQUEUE_ADDR there is no section `queue`.",
        Answer = PipelineAsync,
        Example = new PipelineAnswer
        {
            Queue = new QueueSection
            {
                Reachable = true,
                Reason = null,
                Topics = [PipelineExamples.Topic],
                Groups = [PipelineExamples.Group],
            },
            Store = new StoreSection
            {
                State = "ready",
                Rows = 431_250,
                DatabaseBytes = 21_487_616,
                NewestRecordAt = Examples.Time,
                History = new HistorySection { Rows = 401_000, Bytes = 1_310_720 },
                LagRecords = 50,
                Checkpoints = [PipelineExamples.Checkpoint],
                Gaps = [],
                DeadLetters = [],
            },
        },
    };

    // The queue keeps a day; a chart shows no more points than this.
    private const int HistoryPoints = 360;

    private static readonly ChoiceParameter<TimeSpan> HistoryRange = new(
        "time_range", "The time up to now.", TimeSpan.FromHours(1), "1h",
        ("1h", TimeSpan.FromHours(1)), ("6h", TimeSpan.FromHours(6)), ("24h", TimeSpan.FromHours(24)))
    {
        Example = "6h",
    };

    private static readonly TextParameter Group = new("group", "Only this consumer group. 404 where the queue does not have it.") { Example = "collectors" };

    /// <summary>GET /api/v1/pipeline/history.</summary>
    public static readonly ApiRoute<PipelineHistoryAnswer> History = new()
    {
        Path = "/api/v1/pipeline/history",
        OperationId = "getPipelineHistory",
        Tag = Tags.Operations,
        Summary = "Gets how far behind consumer groups were over time",
        Description = "Lag in records and seconds and the rates of appending and committing, in 360 steps or fewer: of each group, and its lag of each partition. The queue keeps it in memory since its start, every ten seconds for an hour and every minute for a day, so it is the same from every gateway. A step has the largest lag in it. Where the queue does not answer within two seconds, or none is configured, `reason` says so.",
        Parameters = [HistoryRange, Group],
        MayBeUnknown = true,
        Answer = HistoryAsync,
        Example = new PipelineHistoryAnswer
        {
            Reachable = true,
            Reason = null,
            StartTime = Examples.Time.AddHours(-1),
            EndTime = Examples.Time,
            StepSeconds = 10,
            Groups = [PipelineExamples.History],
        },
    };

    private static async Task<PipelineHistoryAnswer> HistoryAsync(ApiRequest request)
    {
        var (last, group) = (request.Get(HistoryRange), request.Get(Group));
        var step = last / HistoryPoints;
        var (groups, reason) = request.Services.Queue is { } queue
            ? await queue.LagHistoryAsync(group, last, step, request.Stop)
            : (null, "no queue is configured: the gateway has no MESSAGEQUEUE_ADDR");
        if (groups is [] && group is not null)
            throw Problems.UnknownGroup(group);
        return new PipelineHistoryAnswer
        {
            Reachable = groups is not null,
            Reason = reason,
            StartTime = request.Now - last,
            EndTime = request.Now,
            StepSeconds = step.TotalSeconds,
            Groups = groups ?? [],
        };
    }

    private static async Task<PipelineAnswer> PipelineAsync(ApiRequest request)
    {
        var asking = request.Services.Queue?.ReadAsync(request.Stop);
        var store = await request.Store.StateAsync(request.Stop);
        var queue = asking is null ? null : await asking;
        return new PipelineAnswer { Queue = queue?.Section, Store = Store(store, request.Store.IsReady, queue) };
    }

    private static StoreSection Store(StoreState store, bool ready, QueueSnapshot? queue)
    {
        var checkpoints = store.Checkpoints.Select(c => Checkpoint(c, queue)).ToList();
        return new StoreSection
        {
            State = ready ? "ready" : "waiting",
            Rows = store.Rows,
            DatabaseBytes = store.DatabaseBytes,
            NewestRecordAt = store.NewestRecord,
            History = new HistorySection { Rows = store.HistoryRows, Bytes = store.HistoryBytes },
            LagRecords = queue is { Section.Reachable: true } ? StoreLag(store.Checkpoints, queue) : null,
            Checkpoints = checkpoints,
            Gaps = [.. store.Gaps.Select(g => new GapState
            {
                Topic = g.Topic,
                Partition = g.Partition,
                LogEpoch = g.LogEpoch,
                FromOffset = g.FromOffset < 0 ? null : g.FromOffset,
                ToOffset = g.ToOffset < 0 ? null : g.ToOffset,
                Reason = g.Reason,
                DetectedAt = g.DetectedAt,
            })],
            DeadLetters = [.. store.DeadLetters.Select(d => new DeadLetterState { Reason = d.Reason, Records = d.Records, NewestAt = d.Newest })],
        };
    }

    private static CheckpointState Checkpoint(CheckpointRow row, QueueSnapshot? queue) => new()
    {
        Topic = row.Topic,
        Partition = row.Partition,
        LogEpoch = row.LogEpoch,
        NextOffset = row.NextOffset < 0 ? null : row.NextOffset,
        LagRecords = queue?.Lag(row),
        Owner = row.Owner,
        OwnerEpoch = row.OwnerEpoch,
        UpdatedAt = row.UpdatedAt,
    };

    private static long? StoreLag(IReadOnlyList<CheckpointRow> checkpoints, QueueSnapshot queue)
    {
        var known = checkpoints.Select(queue.Lag).OfType<long>().ToList();
        return known.Count > 0 ? known.Sum() : null;
    }
}
