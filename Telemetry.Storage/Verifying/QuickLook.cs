using Telemetry.Storage.Files;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Verifying;

/// <summary>What can be said of a store in a moment, however large it is; <see cref="Verification"/> reads all of it.</summary>
public static class QuickLook
{
    /// <summary>The subject of what is wrong with where the file is, rather than with the file.</summary>
    public const string PlaceSubject = "place";

    /// <summary>The subject of what is wrong with checkpoints, gaps and dead letters.</summary>
    public const string OffsetsSubject = "offsets";

    /// <summary>Looks at the file's place, its schema, and the offsets with gaps and dead letters, one after the other as the results are taken.</summary>
    /// <exception cref="StoreException">There is no store, or it cannot be read at all.</exception>
    public static IEnumerable<CheckResult> Run(string databasePath) => Run(databasePath, NetworkMounts.NetworkTypeOf);

    internal static IEnumerable<CheckResult> Run(string databasePath, Func<string, string?> networkTypeOf)
    {
        using var database = ExistingStore.Open(databasePath);
        yield return Place(database, networkTypeOf);
        yield return new Findings().Of("schema", $"version {StoreSchema.Version}, read by SQLite {Database.LibraryVersion}, {database.Scalar("PRAGMA page_count") ?? 0:N0} pages");
        yield return Offsets.Check(database);
    }

    private static CheckResult Place(Database database, Func<string, string?> networkTypeOf)
    {
        var place = new Findings();
        var isLocal = true;
        try
        {
            DatabaseFile.RefuseNetwork($"database '{database.Path}'", database.Path, networkTypeOf, "move it to a local disk");
        }
        catch (StoreException error)
        {
            isLocal = false;
            place.Add(error.Message);
        }
        return place.Of(PlaceSubject, isLocal ? (FormattableString)$"a local file system" : $"a network file system");
    }
}
