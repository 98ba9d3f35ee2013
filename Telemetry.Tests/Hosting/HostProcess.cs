using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Telemetry.Tests.Hosting;

/// <summary>A host as a process of its own, to be signalled and killed.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;

    private readonly CancellationTokenSource _limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Process _process;
    private readonly Task _reading;

    private HostProcess(string assembly, IEnumerable<string> args)
    {
        // Generous: the machine may be busy with other tests.
        _limit.CancelAfter(TimeSpan.FromMinutes(3));
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "exec", Path.Combine(AppContext.BaseDirectory, assembly) },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        _process = Process.Start(start)!;
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput, Output), ReadAsync(_process.StandardError, Errors));
    }

    /// <summary>A host of probes: one <c>back</c>, and two replicas of <c>front</c> that wait for it.</summary>
    public static HostProcess OfProbes(params string[] args) => new("Telemetry.Tests.Probe.dll", ["host", .. args]);

    /// <summary>The system's own AppHost.</summary>
    public static HostProcess OfTheSystem(params string[] args) => new("Telemetry.AppHost.dll", args);

    public LineRecorder Output { get; } = new();

    public LineRecorder Errors { get; } = new();

    public CancellationToken Limit => _limit.Token;

    /// <summary>Waits until everything is up.</summary>
    public Task UpAsync() => Output.LineAsync(line => line.StartsWith("Everything is up", StringComparison.Ordinal), Limit);

    /// <summary>The services' processes, which can be waited for although they are not this process's own.</summary>
    public IReadOnlyList<Process> Services() =>
        [.. Output.Lines.Where(line => line.Contains("started as process", StringComparison.Ordinal))
            .Select(line => Process.GetProcessById(int.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture)))];

    public void Signal(int signal) => Signal(_process.Id, signal);

    public static void Signal(int processId, int signal) => Assert.Equal(0, SendSignal(processId, signal));

    /// <summary>Waits for the end. Returns the exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync(Limit);
        await _reading.WaitAsync(Limit);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _limit.Dispose();
    }

    private static async Task ReadAsync(StreamReader reader, LineRecorder lines)
    {
        while (await reader.ReadLineAsync() is { } line)
            lines.WriteLine(line);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
