namespace Telemetry.Benchmarks.Store;

/// <summary>A store at work, on threads of its own: one writes in time with the clock, one folds and merges, one removes.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _threads;

    private Load(History history, int speed)
    {
        history.Clock.Run(speed);
        Writer = new OpenLoopWriter(history, speed);
        _threads = Task.WhenAll(
            OnThread(Writer.Run),
            OnThread(stop => history.Upkeep.RunHistory(speed, stop)),
            OnThread(stop => history.Upkeep.RunRetention(speed, stop)));
    }

    public OpenLoopWriter Writer { get; }

    /// <summary>Starts it where the history ends.</summary>
    public static Load Start(History history, int speed) => new(history, speed);

    /// <summary>Stops it, and throws what went wrong.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _threads;
        _stop.Dispose();
    }

    private Task OnThread(Action<CancellationToken> run) => Task.Factory.StartNew(() =>
    {
        try
        {
            run(_stop.Token);
        }
        catch
        {
            _stop.Cancel(); // the others need not go on
            throw;
        }
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Waits while it works.</summary>
    /// <exception cref="OperationCanceledException">It failed, or was cancelled.</exception>
    public async Task WaitAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, cancellationToken);
        await Task.Delay(time, both.Token);
    }
}
