using Microsoft.Extensions.Logging;

namespace Telemetry.Hosting.Run;

/// <summary>Where every line of the processes and of the host goes: the console, and the store of the dashboard.</summary>
internal sealed class RunOutput(HostConsole console, LogStore store)
{
    /// <summary>Takes a line.</summary>
    /// <param name="source">The replica, or <see cref="HostConsole.Host"/>.</param>
    /// <param name="text">The line.</param>
    /// <param name="isError">Whether it is meant for standard error.</param>
    /// <param name="level">Its level, where it is known.</param>
    public void Line(string source, string text, bool isError, LogLevel? level = null)
    {
        console.Line(source, text, isError);
        store.Add(source, text, isError, level);
    }
}
