using System.Text;

namespace Telemetry.Storage.Files;

/// <summary>
/// Tells network file systems. SQLite's WAL needs memory that all its processes share, and locks that work: over a network
/// there is neither, and the file would be damaged in silence.
/// </summary>
internal static class NetworkMounts
{
    private static readonly HashSet<string> NetworkTypes = new(StringComparer.Ordinal)
    {
        "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "coda", "ceph", "lustre", "gfs", "gfs2", "gpfs",
        "glusterfs", "beegfs", "orangefs", "pvfs2", "davfs", "acfs", "ocfs2",
        "fuse.sshfs", "fuse.glusterfs", "fuse.ceph-fuse", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.rclone", "fuse.davfs2",
        "fuse.juicefs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.mount-s3", "fuse.seaweedfs",
    };

    /// <summary>The type of the network file system that a path is on; null for a local one.</summary>
    public static string? NetworkTypeOf(string fullPath)
    {
        if (OperatingSystem.IsLinux())
        {
            const string mounts = "/proc/self/mounts";
            return File.Exists(mounts) ? NetworkTypeOf(fullPath, File.ReadAllText(mounts)) : null;
        }
        if (OperatingSystem.IsWindows() && fullPath.StartsWith(@"\\", StringComparison.Ordinal))
            return "a network share";
        var root = Path.GetPathRoot(fullPath);
        return !string.IsNullOrEmpty(root) && new DriveInfo(root).DriveType == DriveType.Network ? "a network drive" : null;
    }

    /// <summary>The same from the text of /proc/self/mounts: <c>device mount-point type options dump pass</c>.</summary>
    internal static string? NetworkTypeOf(string fullPath, string mounts)
    {
        var (longest, type) = (-1, "");
        foreach (var line in mounts.Split('\n'))
        {
            var fields = line.Split(' ');
            if (fields.Length < 3)
                continue;
            var point = Unescape(fields[1]);
            // Of mounts at the same point, the later one is on top.
            if (point.Length >= longest && IsUnder(fullPath, point))
                (longest, type) = (point.Length, fields[2]);
        }
        return NetworkTypes.Contains(type) ? type : null;
    }

    private static bool IsUnder(string path, string point) =>
        point == "/" || (path.StartsWith(point, StringComparison.Ordinal) && (path.Length == point.Length || path[point.Length] == '/'));

    // Spaces, tabs, newlines and backslashes are written as \ooo.
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                plain.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                plain.Append(text[i]);
            }
        }
        return plain.ToString();
    }
}
