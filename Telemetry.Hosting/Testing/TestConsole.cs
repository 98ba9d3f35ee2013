using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Testing;

/// <summary>
/// In a test, the lines of a resource are log events of the category <c>&lt;AppHost&gt;.Resources.&lt;replica&gt;</c>; the test
/// says where they go.
/// </summary>
internal sealed class TestConsole(ILoggerFactory loggers, string application) : HostConsole(TextWriter.Null, TextWriter.Null, colour: false)
{
    public override void Line(string source, string text, bool isError = false)
    {
        base.Line(source, text, isError);
        // The line is the message, not a template.
        var level = isError ? LogLevel.Error : LogLevel.Information;
        loggers.CreateLogger($"{application}.Resources.{source}").Log(level, default, text, null, static (line, _) => line);
    }
}
