using System.Text;
using Telemetry.Collector.Commands;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Tests.Collector.Commands;

/// <summary>What a collector's command wrote, and how it ended.</summary>
internal sealed record CollectorRun(int Code, string Out, string Error)
{
    /// <summary>What was written; nothing on standard error.</summary>
    public string Text
    {
        get
        {
            Assert.Equal((0, ""), (Code, Error));
            return Out;
        }
    }

    /// <summary>Why it failed: one line on standard error, and nothing else.</summary>
    public string Refusal(int code)
    {
        Assert.Equal((code, ""), (Code, Out));
        Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.DoesNotContain("Exception", Error, StringComparison.Ordinal);
        return Error.TrimEnd('\n');
    }

    public static async Task<CollectorRun> OfAsync(string databasePath, params string[] args)
    {
        var (text, error, data) = (new StringWriter(), new StringWriter(), new MemoryStream());
        var code = await CollectorCommands.RunAsync(args, new CommandConsole(text, error, false), () => data, name => name == "DATABASE_PATH" ? databasePath : null);
        return new CollectorRun(code, text + Encoding.UTF8.GetString(data.ToArray()), error.ToString());
    }
}
