namespace Telemetry.Tests.ServiceDefaults;

/// <summary>What a command of a service's program wrote, and how it ended.</summary>
internal record CommandRun(int Code, string Out, string Error)
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
}
