using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Telemetry.Broker.Disk;

/// <summary>The file system. Folders are 0700 and files 0600 where it knows modes.</summary>
internal sealed partial class RealDisk : IDisk
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public void MakeDirectory(string path)
    {
        if (Directory.Exists(path))
            return;
        var parent = Path.GetDirectoryName(path);
        if (parent is not null)
            MakeDirectory(parent);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, DirectoryMode);
        if (parent is not null)
            SyncDirectory(parent);
    }

    public IReadOnlyList<string> Names(string directory) =>
        Directory.Exists(directory) ? [.. Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)] : [];

    public IDiskFile Open(string path, bool create)
    {
        // The stream is only the way to give a mode; it has no buffer and its handle is what is used.
        var options = new FileStreamOptions
        {
            Mode = create ? System.IO.FileMode.CreateNew : System.IO.FileMode.Open,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read | FileShare.Delete,
            BufferSize = 0,
        };
        if (create && !OperatingSystem.IsWindows())
            options.UnixCreateMode = FileMode;
        return new RealFile(new FileStream(path, options));
    }

    public void Delete(string path)
    {
        if (File.Exists(path))
            File.Delete(path);
    }

    public void DeleteDirectory(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void SyncDirectory(string path)
    {
        // Windows keeps names durable by itself, and .NET has no call for it elsewhere.
        if (OperatingSystem.IsWindows())
            return;
        using var directory = OpenDirectory(path);
        if (directory.IsInvalid)
            throw Failure("open", path);
        if (Fsync(directory) != 0)
            throw Failure("fsync", path);
    }

    public IDisposable Lock(string path)
    {
        // .NET locks a file that is shared with nobody (flock); the lock ends with the process, however that ends.
        var options = new FileStreamOptions
        {
            Mode = System.IO.FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = FileMode;
        return new FileStream(path, options);
    }

    private static SafeFileHandle OpenDirectory(string path) => Open(path, 0);

    private static IOException Failure(string call, string path) =>
        new($"{call} of {path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(SafeFileHandle file);

    private sealed class RealFile(FileStream stream) : IDiskFile
    {
        // ENOSPC and EDQUOT on Linux and macOS as .NET reports them, ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL on Windows.
        private static readonly int[] Full = [28, 122, 69, unchecked((int)0x80070070), unchecked((int)0x80070027)];

        private readonly SafeFileHandle _handle = stream.SafeFileHandle;

        public long Length => RandomAccess.GetLength(_handle);

        public int Read(long position, Span<byte> into)
        {
            var total = 0;
            while (total < into.Length)
            {
                var read = RandomAccess.Read(_handle, into[total..], position + total);
                if (read == 0)
                    break;
                total += read;
            }
            return total;
        }

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
        {
            try
            {
                RandomAccess.Write(_handle, parts, position);
            }
            catch (IOException error) when (Full.Contains(error.HResult))
            {
                throw new DiskFullException("the disk is full", error);
            }
        }

        public void Sync() => RandomAccess.FlushToDisk(_handle);

        public void Truncate(long length) => RandomAccess.SetLength(_handle, length);

        public void Dispose() => stream.Dispose();
    }
}
