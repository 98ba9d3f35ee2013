using Telemetry.ServiceDefaults;
using Telemetry.Streamer.Sources;

namespace Telemetry.Streamer.Shards;

/// <summary>What became of a followed file.</summary>
internal enum FollowState
{
    /// <summary>Nothing new.</summary>
    Unchanged,

    /// <summary>There are more rows to read.</summary>
    Grown,

    /// <summary>The path leads to another file; the old one was read to its end.</summary>
    Replaced,
}

/// <summary>A followed file grows, is rotated, or is cut.</summary>
internal sealed partial class InputReader
{
    /// <summary>A file that another one took the place of has its end when nothing was appended for this long.</summary>
    private static readonly TimeSpan ReplacedQuiet = TimeSpan.FromSeconds(1);

    private long? _replacedAt;

    /// <summary>After <see cref="ReadStep.LiveEnd"/>: looks for more. What was appended to the open file comes before a file that took its place.</summary>
    /// <exception cref="StartupException">The file is gone or cannot be read for now.</exception>
    public FollowState Refresh()
    {
        if (_handle is null || _rows is null)
            return FollowState.Grown;
        var length = RandomAccess.GetLength(_handle);
        var limit = InputFile.EndOfLastLine(_handle, _limit, length);
        if (length >= _at.Offset && limit > _limit)
            return ReadOnFrom(_at);
        var current = OpenAgain(_file!);
        if (current is null)
            return FollowState.Unchanged;
        if (current.Identity != _file!.Identity)
        {
            // Its writer may write to the old file for a moment more.
            _replacedAt ??= _time.GetTimestamp();
            return _time.GetElapsedTime(_replacedAt.Value) >= ReplacedQuiet ? FollowState.Replaced : FollowState.Unchanged;
        }
        if (current.Length < _at.Offset)
        {
            StreamerLog.FileCut(_logger, _file.Name);
            SealWindows();
            foreach (var shard in Shards)
                shard.Restart(Begin(0));
            CloseFile();
            return ReadOnFrom(Begin(0));
        }
        if (current.Length == length)
            return FollowState.Unchanged;
        // A copy took the file's place, or it grew just now.
        CloseFile();
        return ReadOnFrom(_at);
    }

    private FollowState ReadOnFrom(Place place)
    {
        _replacedAt = null;
        _rows?.Dispose();
        _rows = null;
        _at = place;
        return FollowState.Grown;
    }
}
