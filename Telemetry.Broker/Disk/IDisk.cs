namespace Telemetry.Broker.Disk;

/// <summary>
/// Everything that the broker does with files, so that a simulation can take its place: one that loses what was not synced,
/// tears writes and runs full. Paths are absolute. Calls block; failures are <see cref="IOException"/>.
/// </summary>
internal interface IDisk
{
    /// <summary>Makes a folder with its parents, each durable in its own parent; nothing where it is there.</summary>
    void MakeDirectory(string path);

    /// <summary>The names in a folder, sorted; none where there is no folder.</summary>
    IReadOnlyList<string> Names(string directory);

    /// <summary>Opens a file to read and write.</summary>
    /// <param name="path">The file.</param>
    /// <param name="create">Makes a new one, which must not be there yet; false: it has to be there.</param>
    IDiskFile Open(string path, bool create);

    /// <summary>Deletes a file; nothing where there is none.</summary>
    void Delete(string path);

    /// <summary>Deletes a folder with all that is in it; nothing where there is none.</summary>
    void DeleteDirectory(string path);

    /// <summary>Gives a file another name, in place of what has that name. Durable after the folder is synced.</summary>
    void Rename(string from, string to);

    /// <summary>Makes the names in a folder durable.</summary>
    void SyncDirectory(string path);

    /// <summary>Holds a lock file until it is disposed, so that no second process uses the folder; it ends with the process.</summary>
    /// <exception cref="IOException">Another process holds it.</exception>
    IDisposable Lock(string path);
}

/// <summary>An open file.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>Its length in bytes.</summary>
    long Length { get; }

    /// <summary>Reads until the buffer is full or the file ends, and returns how many bytes that were.</summary>
    int Read(long position, Span<byte> into);

    /// <summary>Writes all parts one after another; they are the caller's again when it returns.</summary>
    /// <exception cref="DiskFullException">There is no room; some of it may have been written.</exception>
    void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts);

    /// <summary>Makes what was written durable. After a failure nothing is known of it.</summary>
    void Sync();

    /// <summary>Cuts the file.</summary>
    void Truncate(long length);
}

/// <summary>There is no room on the disk (ENOSPC, EDQUOT).</summary>
internal sealed class DiskFullException(string message, Exception? inner = null) : IOException(message, inner);
