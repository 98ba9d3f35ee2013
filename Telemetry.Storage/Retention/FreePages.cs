using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Retention;

/// <summary>Pages that retention has freed.</summary>
internal static class FreePages
{
    private const int PagesAStep = 500; // 4 MB
    private const int KeptMin = 4_000; // 32 MB

    /// <summary>Shortens the file by some pages when more than a quarter of it is free.</summary>
    /// <returns>Whether it did.</returns>
    public static bool GiveBackSome(Database database)
    {
        var free = database.Scalar("PRAGMA freelist_count") ?? 0;
        var pages = database.Scalar("PRAGMA page_count") ?? 0;
        if (free < KeptMin || free * 4 < pages)
            return false;
        database.Execute($"PRAGMA incremental_vacuum({PagesAStep})");
        return true;
    }
}
