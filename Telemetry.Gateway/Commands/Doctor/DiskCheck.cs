using System.Globalization;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>Room beside the database.</summary>
internal static class DiskCheck
{
    private const string Name = "disk";
    private const long FailBelow = 256L << 20;
    private const long WarnBelow = 2L << 30;

    /// <param name="databasePath">The database.</param>
    /// <param name="spaceOf">Free and all bytes of the file system that a folder is on.</param>
    public static Diagnosis Run(string databasePath, Func<string, (long Free, long Total)> spaceOf)
    {
        var full = Path.GetFullPath(databasePath);
        var folder = Path.GetDirectoryName(full);
        while (folder is not null && !Directory.Exists(folder))
            folder = Path.GetDirectoryName(folder);
        if (folder is null)
            return Diagnosis.Fail(Name, $"the folder of {full} cannot be found", "set DATABASE_PATH to a file on a disk of this machine");
        try
        {
            var (free, total) = spaceOf(folder);
            var used = new[] { full, full + "-wal" }.Select(p => new FileInfo(p)).Where(f => f.Exists).Sum(f => f.Length);
            var text = $"{Bytes(free)} of {Bytes(total)} are free beside the database, which has {Bytes(used)}";
            const string advice = "free some, or shorten RAW_RETENTION and HISTORY_RETENTION of the collectors";
            return free < FailBelow ? Diagnosis.Fail(Name, text, advice + ": collectors stop writing when the disk is full")
                : free < WarnBelow ? Diagnosis.Warn(Name, text, advice)
                : Diagnosis.Ok(Name, text);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Diagnosis.Warn(Name, $"free space beside {full} cannot be told: {error.Message}", "look at it with df");
        }
    }

    /// <summary>What the system says.</summary>
    public static (long Free, long Total) SpaceOf(string folder)
    {
        var drive = new DriveInfo(folder);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }

    private static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB"),
    };
}
