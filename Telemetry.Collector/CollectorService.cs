using Telemetry.Collector.Intake;
using Telemetry.Collector.Writing;

namespace Telemetry.Collector;

/// <summary>Starts the parts of the collector and stops them in order: intake, flush, commit, leave.</summary>
internal sealed class CollectorService(CollectorContext context, Func<ICollectorQueue> connect, string queueAddress) : IHostedService, IDisposable
{
    private static readonly TimeSpan LastCommitTimeout = TimeSpan.FromSeconds(2);

    private readonly IntakeQueue _intake = new();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly CancellationTokenSource _stopCommitting = new();
    private ICollectorQueue? _queue;
    private OffsetCommitter? _committer;
    private Assignments? _assignments;
    private Task _changes = Task.CompletedTask;
    private Task _decoding = Task.CompletedTask;
    private Task _writing = Task.CompletedTask;
    private Task _committing = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var options = context.Options;
        context.Metrics.Observe(context.Store, () => _intake.ActiveWorkers, () => _intake.RecordsInHand);
        CollectorLog.Started(context.Logger, queueAddress, options.Topic, options.ConsumerGroup, context.Store.Path, context.Store.DatabaseBytes);
        _queue = connect();
        _committer = new OffsetCommitter(context, _queue);
        _assignments = new Assignments(context, _queue, _intake, _committer);
        var writer = new StoreWriter(context, _intake.Items, _committer, _assignments.OnFenced);
        _decoding = Task.WhenAll(Enumerable.Range(0, options.WorkerCount).Select(_ => Guarded(_intake.DecodeAsync)));
        _writing = Guarded(() => writer.RunAsync(_giveUp.Token));
        _committing = Guarded(() => _committer.RunAsync(_stopCommitting.Token));
        _changes = Guarded(_assignments.RunAsync);
        return Task.CompletedTask;
    }

    /// <summary>Finishes what is in hand.</summary>
    /// <param name="cancellationToken">The end of the grace period: what is not written by then stays in the queue.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_queue is not { } queue)
            return; // not started, or stopped already
        _queue = null;
        var started = context.Time.GetTimestamp();
        await _assignments!.StopReadingAsync();
        await _changes;
        // Registered first: when the grace period is over already, nothing more is written.
        await using (cancellationToken.Register(_giveUp.Cancel))
        {
            _intake.Complete();
            await _writing;
        }
        if (_giveUp.IsCancellationRequested)
            CollectorLog.StoppedEarly(context.Logger, _intake.RecordsInHand);
        await _decoding;
        await _stopCommitting.CancelAsync();
        await _committing;
        using (var timeout = new CancellationTokenSource(LastCommitTimeout))
            await Guarded(() => _committer!.SendAsync(timeout.Token));
        await queue.DisposeAsync();
        CollectorLog.Stopped(context.Logger, context.Time.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Runs a part; a failure of any stops the process, as the others would go on in vain.</summary>
    private Task Guarded(Func<Task> part) => Task.Run(async () =>
    {
        try
        {
            await part();
        }
        catch (OperationCanceledException)
        {
            // Stopped, or the grace period has ended.
        }
        catch (Exception error)
        {
            context.Fail(error);
        }
    });

    public void Dispose()
    {
        _intake.Dispose();
        _giveUp.Dispose();
        _stopCommitting.Dispose();
    }
}
