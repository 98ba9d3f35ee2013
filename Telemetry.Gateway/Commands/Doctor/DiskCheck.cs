using System.Globalization;
using Telemetry.Storage.Files;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>What the system says of a folder.</summary>
/// <param name="Space">Free and all bytes of the file system that it is on.</param>
/// <param name="CanMakeFiles">Whether this user can make files in it.</param>
internal sealed record Folder(Func<string, (long Free, long Total)> Space, Func<string, bool> CanMakeFiles)
{
    /// <summary>Of this machine's.</summary>
    public static readonly Folder OfThisMachine = new(
        path =>
        {
            var drive = new DriveInfo(path);
            return (drive.AvailableFreeSpace, drive.TotalSize);
        },
        FolderAccess.CanMakeFiles);
}

/// <summary>The folder of the database: whether it can be used, and has room.</summary>
internal static class DiskCheck
{
    private const string Name = "disk";
    private const long FailBelow = 256L << 20;
    private const long WarnBelow = 2L << 30;

    /// <param name="databasePath">The database.</param>
    /// <param name="system">What is known of folders.</param>
    public static Diagnosis Run(string databasePath, Folder system)
    {
        var full = Path.GetFullPath(databasePath);
        var folder = Path.GetDirectoryName(full);
        var measured = folder;
        while (measured is not null && !Directory.Exists(measured))
            measured = Path.GetDirectoryName(measured);
        if (measured is null)
            return Diagnosis.Fail(Name, $"the folder of {full} cannot be found", "set DATABASE_PATH to a file on a disk of this machine");
        try
        {
            var (free, total) = system.Space(measured);
            var isThere = measured == folder;
            var used = new[] { full, full + "-wal" }.Select(p => new FileInfo(p)).Where(f => f.Exists).Sum(f => f.Length);
            var text = $"{Bytes(free)} of {Bytes(total)} are free " + (isThere ? $"beside the database, which has {Bytes(used)}" : $"in {measured}; {folder} is not there, or this user may not see it");
            const string advice = "free some, or shorten RAW_RETENTION and HISTORY_RETENTION of the collectors";
            if (free < FailBelow)
                return Diagnosis.Fail(Name, text, advice + ": collectors stop writing when the disk is full");
            if (!isThere)
                return Diagnosis.Warn(Name, text, "start a collector, which makes it; if one runs, correct DATABASE_PATH, or use the collectors' user");
            // With such a file a collector has the database open, and nothing has to be made to read it.
            if (!system.CanMakeFiles(folder!) && !File.Exists(full + "-shm"))
                return Diagnosis.Warn(Name, $"{text}; this user may make no files in {folder}, which reading a database takes that no collector has open", "start the gateway as the collectors' user");
            return free < WarnBelow ? Diagnosis.Warn(Name, text, advice) : Diagnosis.Ok(Name, text);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Diagnosis.Warn(Name, $"free space in {measured} cannot be told: {error.Message}", "look at it with df");
        }
    }

    private static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB"),
    };
}
