namespace Telemetry.Broker.Log;

/// <summary>
/// Wakes everyone who waits for something to change. A waiter takes <see cref="Next"/> first, then looks, then awaits it:
/// a change between looking and waiting is not missed.
/// </summary>
internal sealed class Signal
{
    private TaskCompletionSource? _next;

    /// <summary>Ends with the next <see cref="Pulse"/>.</summary>
    public Task Next
    {
        get
        {
            var current = Volatile.Read(ref _next);
            if (current is not null)
                return current.Task;
            var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (Interlocked.CompareExchange(ref _next, made, null) ?? made).Task;
        }
    }

    /// <summary>Wakes those who wait now; costs next to nothing when nobody does.</summary>
    public void Pulse()
    {
        // The change that is announced must be visible before the look at who waits, or a waiter could miss both.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _next) is not null)
            Interlocked.Exchange(ref _next, null)?.TrySetResult();
    }
}
