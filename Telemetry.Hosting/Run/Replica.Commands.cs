using Aspire.Hosting.ApplicationModel;

namespace Telemetry.Hosting.Run;

/// <summary>Starting and stopping a replica, any number of times, one command after the other.</summary>
internal sealed partial class Replica
{
    private readonly SemaphoreSlim _command = new(1, 1);
    private CancellationTokenSource _stop = new();
    private TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _run = Task.CompletedTask;
    private volatile bool _isHeld;
    private volatile bool _isClosed;

    /// <summary>
    /// Ends when the replica has ended by itself, or the application stops. One that was stopped by a command has not
    /// ended: it can be started again.
    /// </summary>
    public Task Completion => Volatile.Read(ref _completion).Task;

    /// <summary>Begins to keep the replica running; a pause before a restart ends, and one that waits for others waits no longer.</summary>
    public Task StartAsync() => CommandAsync(async () =>
    {
        var state = Status.State;
        var waits = state != KnownResourceStates.Waiting;
        if (!_run.IsCompleted && waits && state != KnownResourceStates.Exited)
            return;
        await EndRunAsync();
        Begin(waits);
    });

    /// <summary>Stops the process, if there is one, and starts no further one until it is told to.</summary>
    public Task StopAsync() => CommandAsync(EndRunAsync);

    /// <summary>Stops the process, if there is one, and starts another.</summary>
    public Task RestartAsync() => CommandAsync(async () =>
    {
        await EndRunAsync();
        Begin(waits: true);
    });

    /// <summary>Stops the process, if there is one, for good.</summary>
    public async Task CloseAsync()
    {
        CancellationTokenSource stop;
        lock (_lock)
        {
            _isClosed = true;
            stop = _stop;
        }
        await stop.CancelAsync();
        await _command.WaitAsync();
        await _run;
        _completion.TrySetResult();
        _command.Release();
    }

    private async Task CommandAsync(Func<Task> command)
    {
        await _command.WaitAsync();
        try
        {
            if (!_isClosed)
                await command();
        }
        finally
        {
            _command.Release();
        }
    }

    private void Begin(bool waits)
    {
        lock (_lock)
        {
            if (_isClosed)
                return;
            _stop.Dispose();
            _stop = new CancellationTokenSource();
            if (_completion.Task.IsCompleted)
                Volatile.Write(ref _completion, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            // What went wrong before says nothing about this start.
            _delay = new RestartDelay(services.Timings);
            _failedStarts = 0;
            _wasHealthy = false;
            _isHeld = false;
            _run = Task.Run(() => RunToEndAsync(waits));
        }
    }

    private async Task RunToEndAsync(bool waits)
    {
        await RunAsync(waits);
        if (!_isHeld)
            _completion.TrySetResult();
    }

    private async Task EndRunAsync()
    {
        if (_run.IsCompleted)
            return;
        _isHeld = true;
        await _stop.CancelAsync();
        await _run;
    }
}
