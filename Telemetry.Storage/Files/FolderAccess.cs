using System.Runtime.InteropServices;

namespace Telemetry.Storage.Files;

/// <summary>What this user may do in a folder.</summary>
public static partial class FolderAccess
{
    private const int Write = 2, Search = 1; // W_OK, X_OK

    /// <summary>Whether files can be made in a folder, which SQLite does also to read a database that nobody has open. Makes none.</summary>
    public static bool CanMakeFiles(string folder) => OperatingSystem.IsWindows() || Access(folder, Write | Search) == 0;

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Access(string path, int mode);
}
