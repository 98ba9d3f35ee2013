using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Telemetry.Storage.Files;

/// <summary>Makes the names in a folder durable: .NET syncs files only.</summary>
internal static partial class FolderSync
{
    /// <summary>Syncs a folder; on Windows, names are durable by themselves.</summary>
    /// <exception cref="IOException">It cannot be synced.</exception>
    public static void Run(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var handle = Open(folder, 0);
        if (handle.IsInvalid || Fsync(handle) != 0)
            throw new IOException($"the folder '{folder}' cannot be synced: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(SafeFileHandle file);
}
