using System.Runtime.InteropServices;

namespace Telemetry.Storage.Sqlite;

/// <summary>
/// The calls that are made for every value of every row. SQLitePCLRaw's own go through an interface and a SafeHandle's
/// reference count, which cost as much as SQLite's work; these go straight to the same library. They never block and never
/// call back (connections are opened without a mutex), so the GC transition is left out where the work is a few instructions.
/// </summary>
internal static partial class Native
{
    private const string Library = "e_sqlite3";

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_int64"), SuppressGCTransition]
    internal static partial int BindLong(nint statement, int index, long value);

    /// <summary>Binds a double; SQLite makes NULL of NaN.</summary>
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_double"), SuppressGCTransition]
    internal static partial int BindDouble(nint statement, int index, double value);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_null"), SuppressGCTransition]
    internal static partial int BindNull(nint statement, int index);

    [LibraryImport(Library, EntryPoint = "sqlite3_step")]
    internal static partial int Step(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_reset")]
    internal static partial int Reset(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_int64"), SuppressGCTransition]
    internal static partial long ColumnLong(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_double"), SuppressGCTransition]
    internal static partial double ColumnDouble(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_type"), SuppressGCTransition]
    internal static partial int ColumnType(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_file_control", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int FileControl(nint database, string name, int operation, ref int value);
}
