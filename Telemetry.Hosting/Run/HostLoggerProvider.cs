using Microsoft.Extensions.Logging;

namespace Telemetry.Hosting.Run;

/// <summary>Writes the host's own log events as lines between those of the services; warnings and errors go to standard error.</summary>
internal sealed class HostLoggerProvider(RunOutput output) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new HostLogger(output);

    public void Dispose()
    {
    }

    private sealed class HostLogger(RunOutput output) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var text = formatter(state, exception);
            output.Line(HostConsole.Host, exception is null ? text : $"{text}{Environment.NewLine}{exception}", isError: logLevel >= LogLevel.Warning, logLevel);
        }
    }
}
