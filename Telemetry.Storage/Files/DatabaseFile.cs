namespace Telemetry.Storage.Files;

/// <summary>The database file's place: checked, and made so that only this user can read it.</summary>
internal static class DatabaseFile
{
    /// <summary>Makes the folder and an empty file where they are missing.</summary>
    /// <returns>The full path.</returns>
    /// <exception cref="StoreException">The path cannot be used; the message says why.</exception>
    public static string Prepare(string path, Func<string, string?> networkTypeOf)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
            throw new StoreException(StoreFault.Unusable, "the database path is empty or has a NUL in it: set DATABASE_PATH to a file");
        try
        {
            var full = Path.GetFullPath(path);
            if (Directory.Exists(full) || Path.EndsInDirectorySeparator(full))
                throw new StoreException(StoreFault.Unusable, $"database '{full}' is a folder: set DATABASE_PATH to a file");
            RefuseNetwork(full, networkTypeOf);
            var folder = Path.GetDirectoryName(full)!;
            if (!Directory.Exists(folder))
                CreateFolder(folder);
            if (!File.Exists(full))
                CreateFile(full);
            return full;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new StoreException(StoreFault.Unusable, $"database '{path}' cannot be made: {error.Message}", error);
        }
    }

    private static void RefuseNetwork(string full, Func<string, string?> networkTypeOf)
    {
        if (networkTypeOf(Resolve(full)) is { } type)
        {
            throw new StoreException(StoreFault.Unusable,
                $"database '{full}' is on a network file system ({type}), where SQLite loses data: set DATABASE_PATH to a local disk, or use PostgreSQL");
        }
    }

    // Follows symbolic links of the file and of every folder above it.
    private static string Resolve(string full)
    {
        var file = new FileInfo(full);
        var path = file.LinkTarget is null ? full : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        var tail = Path.GetFileName(path);
        for (var folder = new DirectoryInfo(Path.GetDirectoryName(path)!); ; folder = folder.Parent)
        {
            if (folder.LinkTarget is not null && folder.ResolveLinkTarget(returnFinalTarget: true) is { } target)
                return Resolve(Path.Combine(target.FullName, tail));
            if (folder.Parent is null)
                return path;
            tail = Path.Combine(folder.Name, tail);
        }
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    // SQLite takes the mode of the database file for its -wal and -shm files.
    private static void CreateFile(string full)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(full, options);
    }
}
