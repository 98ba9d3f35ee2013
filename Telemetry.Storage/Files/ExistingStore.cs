using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Files;

/// <summary>Stores that commands of people work on: they have to be there, and are never made or upgraded.</summary>
internal static class ExistingStore
{
    private static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Opens a store to read it.</summary>
    /// <param name="databasePath">The file.</param>
    /// <param name="versionMin">The oldest schema that will do.</param>
    /// <exception cref="StoreException">There is none, or not one that this program can read; the message says so.</exception>
    public static Database Open(string databasePath, int versionMin = StoreSchema.Version)
    {
        var path = PathOf(databasePath);
        if (!File.Exists(path))
            throw new StoreException(StoreFault.Missing, $"database '{path}' is not there: set DATABASE_PATH to the file that the collectors write");
        StoreSchema.CheckLibrary(Database.LibraryVersion);
        var database = Database.Open(path, readOnly: true, BusyTimeout);
        try
        {
            var version = StoreSchema.Check(database);
            if (version == 0)
                throw new StoreException(StoreFault.Missing, $"database '{path}' is empty: no collector has made its tables yet");
            if (version < versionMin)
            {
                throw new StoreException(StoreFault.Unusable,
                    $"database '{path}': its schema has version {version}; a collector of this program brings it to version {StoreSchema.Version}: start one first");
            }
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private static string PathOf(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
            throw new StoreException(StoreFault.Unusable, "the database path is empty or has a NUL in it: set DATABASE_PATH to a file");
        return Path.GetFullPath(path);
    }
}
