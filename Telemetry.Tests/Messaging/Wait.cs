using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Telemetry.Tests.Messaging;

/// <summary>Waits for signals, never longer than a test may take.</summary>
internal static class Wait
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>Cancelled with the test, or when a wait takes too long.</summary>
    public static CancellationToken Token
    {
        get
        {
            var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            source.CancelAfter(Longest);
            return source.Token;
        }
    }

    /// <summary>The task's end, or a failure when it takes too long.</summary>
    public static Task<T> For<T>(Task<T> task) => task.WaitAsync(Longest, TestContext.Current.CancellationToken);

    public static Task For(Task task) => task.WaitAsync(Longest, TestContext.Current.CancellationToken);

    /// <summary>Moves the clock on in small steps until the task ends.</summary>
    public static async Task<T> For<T>(Task<T> task, FakeTimeProvider time)
    {
        var token = Token;
        while (!task.IsCompleted)
        {
            token.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromMilliseconds(20));
            await Task.Yield();
        }
        return await task;
    }
}

/// <summary>Keeps what is logged.</summary>
internal sealed class ListLogger : ILogger
{
    public ConcurrentQueue<(LogLevel Level, int Event, string Text)> Lines { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((logLevel, eventId.Id, formatter(state, exception)));
}
