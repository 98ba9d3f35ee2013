using Telemetry.Storage.Files;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Verifying;

/// <summary>What can be said of a store in a moment, however large it is; <see cref="Verification"/> reads all of it.</summary>
public static class QuickLook
{
    /// <summary>Looks at the file's place, its schema, and the offsets with gaps and dead letters.</summary>
    /// <exception cref="StoreException">There is no store, or it cannot be read at all.</exception>
    public static IReadOnlyList<CheckResult> Run(string databasePath) => Run(databasePath, NetworkMounts.NetworkTypeOf);

    internal static IReadOnlyList<CheckResult> Run(string databasePath, Func<string, string?> networkTypeOf)
    {
        using var database = ExistingStore.Open(databasePath);
        var place = new Findings();
        var isLocal = true;
        try
        {
            DatabaseFile.RefuseNetwork($"database '{database.Path}'", database.Path, networkTypeOf, "move it to a local disk, or use PostgreSQL");
        }
        catch (StoreException error)
        {
            isLocal = false;
            place.Add(error.Message);
        }
        return
        [
            place.Of("place", isLocal ? (FormattableString)$"a local file system" : $"a network file system"),
            new Findings().Of("schema", $"version {StoreSchema.Version}, read by SQLite {Database.LibraryVersion}, {database.Scalar("PRAGMA page_count") ?? 0:N0} pages"),
            Offsets.Check(database),
        ];
    }
}
