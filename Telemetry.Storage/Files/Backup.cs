using System.Diagnostics;
using Telemetry.Storage.Queries;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Files;

/// <summary>What a backup holds.</summary>
/// <param name="Path">The file.</param>
/// <param name="Rows">The records in it.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Duration">How long it took.</param>
public sealed record BackupResult(string Path, long Rows, long Bytes, TimeSpan Duration);

/// <summary>
/// Copies a store, as it is at one moment, while collectors write it. It is written beside the target, synced and then
/// renamed, so that a file of the target's name is always whole.
/// </summary>
/// <remarks>
/// By SQLite's backup calls: they copy pages as they are, so a copy costs a tenth of the CPU time that VACUUM INTO takes to
/// build the file anew, keeps the file's own settings, and can be cancelled between two steps. All steps are in one read
/// transaction: without it, each write of a collector would make the copy begin again. Nobody waits for a reader; the
/// write-ahead log only grows until the copy has ended.
/// </remarks>
public static class Backup
{
    private const int PagesAStep = 1_000; // 8 MB

    /// <summary>Copies a store.</summary>
    /// <param name="databasePath">The store.</param>
    /// <param name="backupPath">The copy; must not be there yet, and be on a local file system.</param>
    /// <param name="cancellationToken">Ends the copying; nothing is left of it.</param>
    /// <exception cref="StoreException">It cannot be copied; nothing is left of it.</exception>
    public static BackupResult Run(string databasePath, string backupPath, CancellationToken cancellationToken) =>
        Run(databasePath, backupPath, NetworkMounts.NetworkTypeOf, cancellationToken);

    internal static BackupResult Run(string databasePath, string backupPath, Func<string, string?> networkTypeOf, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using var source = ExistingStore.Open(databasePath, versionMin: 1);
        try
        {
            var target = DatabaseFile.PlaceOfBackup(backupPath, networkTypeOf);
            var partial = target + DatabaseFile.PartialSuffix;
            DatabaseFile.CreateNew(partial);
            try
            {
                var rows = Copy(source, partial, cancellationToken);
                long bytes;
                using (var file = File.OpenHandle(partial, access: FileAccess.ReadWrite))
                {
                    RandomAccess.FlushToDisk(file);
                    bytes = RandomAccess.GetLength(file);
                }
                File.Move(partial, target, overwrite: false);
                FolderSync.Run(Path.GetDirectoryName(target)!);
                return new BackupResult(target, rows, bytes, Stopwatch.GetElapsedTime(started));
            }
            catch
            {
                File.Delete(partial);
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new StoreException(StoreFault.Unavailable, $"backup '{backupPath}' cannot be written: {error.Message}", error);
        }
    }

    /// <returns>The records.</returns>
    private static long Copy(Database source, string partial, CancellationToken cancellationToken)
    {
        using var target = Database.Open(partial, readOnly: false, TimeSpan.Zero);
        // The file is synced as a whole at the end, and of no use before.
        target.Execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
        source.Execute("BEGIN");
        // Its first read: from here on the source is as it is now.
        var rows = Rows(source);
        source.CopyTo(target, PagesAStep, cancellationToken);
        source.Execute("COMMIT");
        return rows;
    }

    private static long Rows(Database database)
    {
        if (StoreSchema.Check(database) < StoreSchema.Version)
            return database.Scalar("SELECT sum(rows) FROM block") ?? 0;
        using var snapshot = new Snapshot(database);
        return StoreStates.Rows(snapshot);
    }
}
