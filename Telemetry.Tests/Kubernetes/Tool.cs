using System.Diagnostics;

namespace Telemetry.Tests.Kubernetes;

/// <summary>A program that a test runs to its end.</summary>
internal static class Tool
{
    /// <summary>Runs helm without any cluster, or skips the test where there is none. In CI a missing program is a failure.</summary>
    public static Task<ToolResult> HelmAsync(params string[] args) => RunAsync(Find("helm"), args, ("KUBECONFIG", "/dev/null"));

    /// <summary>Runs kubectl without any cluster, or skips the test where there is none.</summary>
    public static Task<ToolResult> KubectlAsync(params string[] args) => RunAsync(Find("kubectl"), args, ("KUBECONFIG", "/dev/null"));

    /// <summary>Runs the SDK, which leaves nothing behind that would keep its output open or write into its temporary folder.</summary>
    public static Task<ToolResult> DotnetAsync(string[] args, params (string Name, string Value)[] environment) =>
        RunAsync(
            "dotnet",
            args,
            [("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"), ("DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE", "1"), .. environment]);

    private static async Task<ToolResult> RunAsync(string program, string[] args, params (string Name, string Value)[] environment)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new ToolResult(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static string Find(string name)
    {
        var file = OperatingSystem.IsWindows() ? name + ".exe" : name;
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
        if (path is null && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail($"{name} is not on the PATH; .ci/run puts it there");
        if (path is null)
            Assert.Skip($"{name} is not on the PATH: the chart cannot be rendered or checked here");
        return path;
    }
}

/// <summary>How a program ended, and what it said.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Errors)
{
    /// <summary>The output of a run that must have been right.</summary>
    public string Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}\n{Errors}");
        return Output;
    }
}
