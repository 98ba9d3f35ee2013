using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Telemetry.Tests.Distributed;

/// <summary>Keeps the last lines of every resource, for the message of a test that fails.</summary>
internal sealed class LastLines : ILoggerProvider
{
    private const int LinesMax = 15;

    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _lines = new();

    public ILogger CreateLogger(string categoryName) => new Recorder(_lines.GetOrAdd(categoryName, _ => new()));

    public void Dispose()
    {
    }

    public override string ToString() =>
        string.Join("\n\n", _lines.Where(source => !source.Value.IsEmpty).OrderBy(source => source.Key, StringComparer.Ordinal)
            .Select(source => $"{source.Key}\n{string.Join('\n', source.Value)}"));

    private sealed class Recorder(ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            lines.Enqueue(exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception}");
            while (lines.Count > LinesMax)
                lines.TryDequeue(out _);
        }
    }
}
