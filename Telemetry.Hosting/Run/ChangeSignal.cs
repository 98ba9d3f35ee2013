namespace Telemetry.Hosting.Run;

/// <summary>Wakes all that wait for the next change. Whoever takes the task first and reads after that misses nothing.</summary>
internal sealed class ChangeSignal
{
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the next change.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Something has changed.</summary>
    public void Raise() =>
        Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
