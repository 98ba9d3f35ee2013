using Grpc.Core;
using Polly;
using Polly.Retry;

namespace Telemetry.Messaging.Client;

/// <summary>Retries of single calls.</summary>
internal static class QueueRetry
{
    /// <summary>Repeats a call until it is answered or refused for good.</summary>
    public static ResiliencePipeline ForEver(TimeProvider time, Action<RpcException, TimeSpan> onRetry) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<RpcException>(QueueErrors.IsRetriable),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = Backoff.First,
                MaxDelay = Backoff.Longest,
                DelayGenerator = arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is RpcException error ? QueueErrors.RetryDelay(error) : null),
                OnRetry = arguments =>
                {
                    if (arguments.Outcome.Exception is RpcException error)
                        onRetry(error, arguments.RetryDelay);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();

    /// <summary>Calls through a pipeline; cancellation and refusals have the types that callers of the clients know.</summary>
    /// <exception cref="QueueException">It was refused for good.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<T> CallAsync<T>(ResiliencePipeline pipeline, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await pipeline.ExecuteAsync(async token => await call(token), cancellationToken);
        }
        catch (RpcException error)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw QueueErrors.Refusal(error);
        }
    }
}

/// <summary>
/// The waits between attempts to keep a stream open: they double and are jittered, and begin anew after progress. (A retry
/// pipeline counts the attempts of one call, and a stream that worked for hours is not one failed call.)
/// </summary>
internal sealed class Backoff
{
    public static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private int _failures;

    /// <summary>The next wait: half of it fixed, half random, so that clients of one broker do not come back all at once.</summary>
    public TimeSpan Next()
    {
        var full = Math.Min(Longest.TotalMilliseconds, First.TotalMilliseconds * Math.Pow(2, _failures));
        _failures = Math.Min(_failures + 1, 30);
        return TimeSpan.FromMilliseconds(full * (0.5 + (Random.Shared.NextDouble() / 2)));
    }

    public void Reset() => _failures = 0;
}
