using Microsoft.Win32.SafeHandles;

namespace Telemetry.Collector.Commands;

/// <summary>This process's output for data.</summary>
internal static class StandardOutput
{
    private const int BrokenPipe = 32; // EPIPE on Linux and macOS

    /// <summary>
    /// Opens it. Not by <see cref="Console"/>, which passes over in silence that nobody reads any more: what follows would be
    /// read and formatted for nothing.
    /// </summary>
    public static Stream Open() => OperatingSystem.IsWindows()
        ? Console.OpenStandardOutput()
        : new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    /// <summary>Whether a write failed because the reader has ended, as <c>head</c> does.</summary>
    public static bool IsClosed(IOException error) => error.HResult == BrokenPipe;
}
