namespace Telemetry.Broker.Rpc;

/// <summary>
/// Counts the calls that are open, so that a stop can let them end before the server closes their connections: otherwise a
/// client would see a broken connection in place of the reason.
/// </summary>
internal sealed class OpenCalls
{
    private readonly Lock _sync = new();
    private TaskCompletionSource? _none;
    private int _count;

    /// <summary>Runs a call and sends all of its answer.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        lock (_sync)
            _count++;
        try
        {
            await next(context);
            await context.Response.CompleteAsync();
        }
        finally
        {
            lock (_sync)
            {
                if (--_count == 0)
                    _none?.TrySetResult();
            }
        }
    }

    /// <summary>Ends when no call is open.</summary>
    public Task NoneAsync()
    {
        lock (_sync)
        {
            if (_count == 0)
                return Task.CompletedTask;
            if (_none is null || _none.Task.IsCompleted)
                _none = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _none.Task;
        }
    }
}
