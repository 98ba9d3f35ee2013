namespace Telemetry.Storage.Files;

/// <summary>The database file's place: checked, and made so that only this user can read it.</summary>
internal static class DatabaseFile
{
    /// <summary>Ends the name of a backup that is being written.</summary>
    public const string PartialSuffix = ".partial";

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
            RefuseNetwork($"database '{full}'", full, networkTypeOf, "set DATABASE_PATH to a local disk");
            var folder = Path.GetDirectoryName(full)!;
            if (!Directory.Exists(folder))
                CreateFolder(folder);
            if (!File.Exists(full))
                CreateFile(full, FileMode.OpenOrCreate);
            return full;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new StoreException(StoreFault.Unusable, $"database '{path}' cannot be made: {error.Message}", error);
        }
    }

    /// <summary>Checks where a backup is to go: nothing may be there yet.</summary>
    /// <returns>The full path.</returns>
    /// <exception cref="StoreException">The path cannot be used; the message says why.</exception>
    public static string PlaceOfBackup(string path, Func<string, string?> networkTypeOf)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
            throw new StoreException(StoreFault.Unusable, "the backup's path is empty or has a NUL in it: name a file");
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full) || Path.EndsInDirectorySeparator(full))
            throw new StoreException(StoreFault.Unusable, $"backup '{full}' is a folder: name a file");
        RefuseNetwork($"backup '{full}'", full, networkTypeOf, "write it to a local disk and copy it from there");
        // SQLite would take the logs of another database for those of the backup.
        foreach (var there in new[] { full, full + "-wal", full + "-journal" }.Where(Path.Exists))
            throw new StoreException(StoreFault.Unusable, $"'{there}' is there already: choose another file for the backup, or delete it");
        if (Path.Exists(full + PartialSuffix))
        {
            throw new StoreException(StoreFault.Unusable,
                $"'{full}{PartialSuffix}' is there: another backup is writing it, or one was killed: choose another file, or delete it");
        }
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return full;
    }

    /// <summary>Refuses a file that is on a network file system.</summary>
    /// <exception cref="StoreException">It is.</exception>
    public static void RefuseNetwork(string what, string full, Func<string, string?> networkTypeOf, string advice)
    {
        if (networkTypeOf(Resolve(full)) is { } type)
            throw new StoreException(StoreFault.Unusable, $"{what} is on a network file system ({type}), where SQLite loses data: {advice}");
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

    /// <summary>Makes an empty file that only this user can read.</summary>
    /// <exception cref="IOException">It cannot be made, or is there.</exception>
    public static void CreateNew(string full) => CreateFile(full, FileMode.CreateNew);

    // SQLite takes the mode of the database file for its -wal and -shm files.
    private static void CreateFile(string full, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(full, options);
    }
}
