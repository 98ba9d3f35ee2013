using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Telemetry.Benchmarks.Processes;

/// <summary>A signal to a process.</summary>
public enum Signal
{
    /// <summary>Asks it to stop.</summary>
    Term = 15,

    /// <summary>Ends it at once (kill -9).</summary>
    Kill = 9,

    /// <summary>Stands it still.</summary>
    Stop = 19,

    /// <summary>Lets it go on.</summary>
    Continue = 18,
}

/// <summary>
/// One of the pipeline's services as a real process, for benchmarks and tests: settings as flags, any free port, output kept
/// line by line. Disposing kills it.
/// </summary>
public sealed partial class ServiceProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceProcess(string name, Process process)
    {
        Name = name;
        _process = process;
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => _exited.TrySetResult();
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
    }

    /// <summary>Called for each line of output, on a thread of the pool.</summary>
    public event Action<string>? LineWritten;

    /// <summary>What it is called in messages.</summary>
    public string Name { get; }

    /// <summary>Everything it wrote so far.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>CPU time so far; null when it cannot be read any more.</summary>
    public TimeSpan? CpuTime => HasExited ? null : _process.TotalProcessorTime;

    /// <summary>Resident memory now, bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return HasExited ? 0 : _process.WorkingSet64;
        }
    }

    /// <summary>Starts a service program of this build.</summary>
    /// <param name="room">Broker, Streamer, Collector or Gateway.</param>
    /// <param name="flags">Its flags, as <c>--port 0</c> in two strings.</param>
    public static ServiceProcess Start(string room, params IEnumerable<string> flags)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        start.Environment["LOGGING__CONSOLE__FORMATTERNAME"] = "simple"; // lines for people, in messages and reports
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, $"Telemetry.{room}.dll"));
        foreach (var flag in flags)
            start.ArgumentList.Add(flag);
        var service = new ServiceProcess(room, new Process { StartInfo = start });
        service._process.Start();
        service._process.BeginOutputReadLine();
        service._process.BeginErrorReadLine();
        return service;
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Waits for a line that contains a text, past or future.</summary>
    /// <exception cref="InvalidOperationException">The process ended without it; the message has its last lines.</exception>
    public async Task<string> WaitForLineAsync(string text, CancellationToken cancellationToken)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(string line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
                found.TrySetResult(line);
        }
        LineWritten += Look;
        try
        {
            foreach (var line in _lines)
                Look(line);
            await Task.WhenAny(found.Task, _exited.Task).WaitAsync(cancellationToken);
            if (!found.Task.IsCompleted)
            {
                await _process.WaitForExitAsync(cancellationToken); // also drains the output
                if (!found.Task.IsCompleted)
                    throw new InvalidOperationException($"{Name} ended with {_process.ExitCode} before '{text}':\n{Tail()}");
            }
            return await found.Task;
        }
        finally
        {
            LineWritten -= Look;
        }
    }

    /// <summary>Sends a signal.</summary>
    public void Send(Signal signal)
    {
        if (!HasExited && Kill(_process.Id, (int)signal) != 0)
            throw new InvalidOperationException($"{Name}: signal {signal} failed with errno {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>The last lines it wrote, for messages.</summary>
    public string Tail() => string.Join('\n', _lines.TakeLast(15));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        _lines.Enqueue(line);
        LineWritten?.Invoke(line);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
