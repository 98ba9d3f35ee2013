using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Telemetry.Hosting.Run;

/// <summary>
/// A running .NET program. Its standard input is a pipe that this process alone holds: it ends with this process, however
/// that ends, and a program that was told so (<see cref="ReplicaEnvironment.LifelineVariable"/>) then stops. That is also
/// how it is stopped where there are no signals.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private const int SigTerm = 15;

    private readonly Process _process;
    private readonly Task _output;
    private readonly Task _error;

    private ChildProcess(Process process, Action<string, bool> line)
    {
        _process = process;
        Id = process.Id;
        _output = ReadAsync(process.StandardOutput, text => line(text, false));
        _error = ReadAsync(process.StandardError, text =>
        {
            // Of an exception's lines, the first says what it is; those of its stack trace are indented.
            if (text.Length > 0 && !char.IsWhiteSpace(text[0]))
                LastErrorLine = text;
            line(text, true);
        });
        Ended = EndAsync();
    }

    public int Id { get; }

    /// <summary>The last line of standard error that is not part of a stack trace.</summary>
    public string? LastErrorLine { get; private set; }

    /// <summary>Ends with the process, after its last line was read: the exit code (128 + n where signal n ended it).</summary>
    public Task<int> Ended { get; }

    /// <summary>Starts <c>dotnet exec &lt;assembly&gt;</c>.</summary>
    /// <param name="assemblyPath">The program.</param>
    /// <param name="workingDirectory">Its folder; that of this process where it does not exist.</param>
    /// <param name="environment">Variables to add to those of this process.</param>
    /// <param name="line">Takes each line, and whether it was written to standard error.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The process cannot be started.</exception>
    public static ChildProcess Start(
        string assemblyPath, string workingDirectory, IReadOnlyDictionary<string, string> environment, Action<string, bool> line)
    {
        var start = new ProcessStartInfo(DotnetPath())
        {
            ArgumentList = { "exec", assemblyPath },
            WorkingDirectory = Directory.Exists(workingDirectory) ? workingDirectory : "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var name in start.Environment.Keys.Where(ReplicaEnvironment.IsOfHost).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new ChildProcess(Process.Start(start)!, line);
    }

    /// <summary>Asks the process to stop: SIGTERM, or the end of its input where there are no signals.</summary>
    public void RequestStop()
    {
        if (Ended.IsCompleted || _process.HasExited)
            return;
        if (OperatingSystem.IsWindows())
            _process.StandardInput.Close();
        else
            _ = Kill(Id, SigTerm); // fails only for a process that has just ended
    }

    /// <summary>Ends the process and what it has started.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>Ends the process if it still runs.</summary>
    public void Dispose()
    {
        if (!Ended.IsCompleted)
            Kill();
        _process.Dispose();
    }

    private async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync();
        // A grandchild may keep the pipes open: what the process itself wrote is there at once.
        await Task.WhenAny(Task.WhenAll(_output, _error), Task.Delay(TimeSpan.FromSeconds(2)));
        return _process.ExitCode;
    }

    private static async Task ReadAsync(StreamReader reader, Action<string> line)
    {
        while (await reader.ReadLineAsync() is { } text)
            line(text);
    }

    /// <summary>The dotnet that this very process runs on: PATH may hold another, or none.</summary>
    private static string DotnetPath()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        // <root>/shared/Microsoft.NETCore.App/<version>/
        var path = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(path) ? path : name;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);
}
