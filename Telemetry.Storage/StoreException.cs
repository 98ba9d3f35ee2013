namespace Telemetry.Storage;

/// <summary>What kept the store from doing its work.</summary>
public enum StoreFault
{
    /// <summary>Another process held the write lock for longer than the busy timeout.</summary>
    Busy,

    /// <summary>The disk (or quota) is full.</summary>
    Full,

    /// <summary>The file cannot be opened, read or written just now: an I/O error, missing rights, a read-only file system.</summary>
    Unavailable,

    /// <summary>The file is not an SQLite database, or is damaged.</summary>
    Damaged,

    /// <summary>The file, its place, its schema or the SQLite library is not one that this program may use.</summary>
    Unusable,

    /// <summary>The file was moved, replaced or deleted while it was open.</summary>
    Moved,

    /// <summary>A mistake of this program.</summary>
    Internal,

    /// <summary>No collector has made the store yet: there is no file, or one without tables.</summary>
    Missing,
}

/// <summary>
/// The store could not do what was asked; nothing of it was written. The message is one line for the person who runs the
/// program; it may hold the file's path, so it must not reach an HTTP client.
/// </summary>
public sealed class StoreException(StoreFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The reason, for programs.</summary>
    public StoreFault Fault { get; } = fault;

    /// <summary>Whether the same call may succeed later without anyone's changing the program or the settings.</summary>
    public bool IsTransient => Fault is StoreFault.Busy or StoreFault.Full or StoreFault.Unavailable;
}
