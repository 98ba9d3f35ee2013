using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Telemetry.Broker.Disk;
using Telemetry.Messaging.Records;

namespace Telemetry.Broker.Log;

/// <summary>
/// How far groups have read, and how far they had read before: a file to which what has changed is added, one line each time.
/// <code>
///   2f8a11c0 {"at":1767323045000,"groups":[{"name":"collectors","shards":[{"shard":0,"committed":120,…}],…}],"deleted":[]}
/// </code>
/// The first word is the CRC-32C of the rest of the line. A line that is damaged is passed over: later ones say more anyway.
/// From time to time the file is written anew, with one line for each minute of the last day.
/// </summary>
internal sealed class GroupLog : IDisposable
{
    /// <summary>How long history is kept.</summary>
    public static readonly TimeSpan HistoryMax = TimeSpan.FromHours(24);

    private const int ChecksumDigits = 8;

    private readonly IDisk _disk;
    private readonly string _path;
    private readonly long _bytesMax;
    private Dictionary<string, StoredGroup> _saved = new(StringComparer.Ordinal);
    private IDiskFile? _file;
    private long _length;

    /// <summary>Reads the file; where there is none, no group is known.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="path">The file.</param>
    /// <param name="bytesMax">The file is written anew at this length.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public GroupLog(IDisk disk, string path, long bytesMax)
    {
        _disk = disk;
        _path = path;
        _bytesMax = bytesMax;
        KeepWhatIsThere();
        var lines = Lines(out var damaged);
        DamagedLines = damaged;
        foreach (var line in lines)
            line.ApplyTo(_saved);
    }

    /// <summary>Lines that could not be read: what they said of groups was lost, unless later ones say it too.</summary>
    public int DamagedLines { get; }

    /// <summary>The groups as they were kept.</summary>
    public IEnumerable<StoredGroup> Groups => _saved.Values;

    /// <summary>Keeps what has changed since the last time. After a failure all of it is written with the next call.</summary>
    /// <param name="groups">All groups.</param>
    /// <param name="nowUnixMs">Wall time.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Save(IReadOnlyList<StoredGroup> groups, long nowUnixMs)
    {
        var line = Line.Of(_saved, groups, nowUnixMs);
        if (line is null)
            return;
        try
        {
            if (_file is null || _length > _bytesMax)
                Rewrite(nowUnixMs);
            var bytes = line.ToBytes();
            _file!.Write(_length, [bytes]);
            _file.Sync();
            _length += bytes.Length;
        }
        catch (IOException)
        {
            // Nothing is known of the file: the next call makes another, and says anew what this line may have said.
            _file?.Dispose();
            _file = null;
            foreach (var name in line.Groups.Select(group => group.Name).Concat(line.Deleted))
                _saved[name] = new StoredGroup(name, Guid.Empty, -1, -1, []);
            throw;
        }
        _saved = groups.ToDictionary(group => group.Name, StringComparer.Ordinal);
    }

    /// <summary>How far a group had read, from the times on at which that was kept, in order.</summary>
    /// <param name="group">The group.</param>
    /// <param name="topicId">Its topic: what a group of this name had read of another one says nothing.</param>
    /// <param name="sinceUnixMs">The beginning.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IReadOnlyList<OffsetPoint> History(string group, Guid topicId, long sinceUnixMs)
    {
        var points = new List<OffsetPoint>();
        var last = new Dictionary<int, long>();
        foreach (var line in Lines(out _))
        {
            if (line.Deleted.Contains(group))
            {
                points.Clear();
                last.Clear();
            }
            foreach (var shard in line.Groups.Where(of => of.Name == group && of.TopicId == topicId).SelectMany(of => of.Shards))
            {
                // A line also repeats how far shards were read, where something else of the group has changed.
                if (last.TryGetValue(shard.Shard, out var known) && known == shard.Committed)
                    continue;
                last[shard.Shard] = shard.Committed;
                if (line.At >= sinceUnixMs)
                    points.Add(new OffsetPoint(shard.Shard, line.At, shard.Committed));
            }
        }
        return points;
    }

    public void Dispose() => _file?.Dispose();

    /// <summary>Writes the file anew, with less history where there is much of it, and opens it to add to.</summary>
    private void Rewrite(long nowUnixMs)
    {
        var lines = Lines(out _);
        var minute = (long)TimeSpan.FromMinutes(1).TotalMilliseconds;
        byte[] bytes;
        do
        {
            bytes = [.. Thinned(lines, nowUnixMs - (long)HistoryMax.TotalMilliseconds, minute).SelectMany(line => line.ToBytes())];
            minute *= 2;
        }
        while (bytes.Length > _bytesMax / 2 && minute < HistoryMax.TotalMilliseconds);
        _file?.Dispose();
        _file = null;
        SmallFile.Replace(_disk, _path, [bytes], LogFiles.TemporarySuffix);
        _file = _disk.Open(_path, create: false);
        _length = bytes.Length;
    }

    private static IEnumerable<Line> Thinned(List<Line> lines, long fromUnixMs, long stepMs)
    {
        var state = new Dictionary<string, StoredGroup>(StringComparer.Ordinal);
        var told = new Dictionary<string, StoredGroup>(StringComparer.Ordinal);
        for (var i = 0; i < lines.Count; i++)
        {
            lines[i].ApplyTo(state);
            var isLast = i + 1 == lines.Count;
            if (!isLast && (lines[i + 1].At < fromUnixMs || lines[i].At / stepMs == lines[i + 1].At / stepMs))
                continue;
            if (Line.Of(told, [.. state.Values], lines[i].At) is { } line)
                yield return line;
            told = new Dictionary<string, StoredGroup>(state, StringComparer.Ordinal);
        }
    }

    /// <summary>What a killed process left unsynced is about to be believed, and is not written again: from now on it may not go.</summary>
    private void KeepWhatIsThere()
    {
        if (!IsThere)
            return;
        using var file = _disk.Open(_path, create: false);
        file.Sync();
        _disk.SyncDirectory(Path.GetDirectoryName(_path)!);
    }

    private bool IsThere => _disk.Names(Path.GetDirectoryName(_path)!).Contains(Path.GetFileName(_path));

    private List<Line> Lines(out int damaged)
    {
        damaged = 0;
        var lines = new List<Line>();
        if (!IsThere)
            return lines;
        using var file = _disk.Open(_path, create: false);
        var bytes = new byte[file.Length];
        var rest = (ReadOnlySpan<byte>)bytes.AsSpan(0, file.Read(0, bytes));
        // What stands behind the last line end was never acknowledged to anybody.
        for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
        {
            if (Line.Read(rest[..end]) is { } line)
                lines.Add(line);
            else
                damaged++;
        }
        return lines;
    }

    /// <summary>What has changed at one time.</summary>
    internal sealed record Line(long At, IReadOnlyList<StoredGroup> Groups, IReadOnlyList<string> Deleted)
    {
        /// <summary>What is different now; null for nothing.</summary>
        public static Line? Of(Dictionary<string, StoredGroup> before, IReadOnlyList<StoredGroup> now, long nowUnixMs)
        {
            var changed = new List<StoredGroup>();
            foreach (var group in now)
            {
                var known = before.GetValueOrDefault(group.Name);
                var isSame = known is not null && known with { Shards = [] } == group with { Shards = [] };
                StoredProgress[] shards = isSame ? [.. group.Shards.Except(known!.Shards)] : group.Shards;
                if (!isSame || shards.Length > 0)
                    changed.Add(group with { Shards = shards });
            }
            string[] deleted = [.. before.Keys.Except(now.Select(group => group.Name))];
            return changed.Count + deleted.Length > 0 ? new Line(nowUnixMs, changed, deleted) : null;
        }

        public static Line? Read(ReadOnlySpan<byte> line)
        {
            if (line.Length <= ChecksumDigits
                || !uint.TryParse(line[..ChecksumDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var checksum)
                || Crc32C.Compute(line[ChecksumDigits..]) != checksum)
            {
                return null;
            }
            return JsonSerializer.Deserialize(line[ChecksumDigits..], StoredJson.Default.Line);
        }

        public byte[] ToBytes()
        {
            byte[] content = [(byte)' ', .. JsonSerializer.SerializeToUtf8Bytes(this, StoredJson.Default.Line)];
            return [.. Encoding.ASCII.GetBytes(Crc32C.Compute(content).ToString("x8", CultureInfo.InvariantCulture)), .. content, (byte)'\n'];
        }

        public void ApplyTo(Dictionary<string, StoredGroup> groups)
        {
            foreach (var name in Deleted)
                groups.Remove(name);
            foreach (var group in Groups)
            {
                // Another topic, or another number of shards: what was known before says nothing.
                var before = groups.GetValueOrDefault(group.Name);
                var kept = before is not null && before.TopicId == group.TopicId && before.InputShards == group.InputShards ? before.Shards : [];
                groups[group.Name] = group with { Shards = [.. group.Shards.UnionBy(kept, shard => shard.Shard).OrderBy(shard => shard.Shard)] };
            }
        }
    }
}

/// <summary>A group as it is kept.</summary>
/// <param name="Name">Its name.</param>
/// <param name="TopicId">Its topic.</param>
/// <param name="InputShards">How many shards of an input it divides; 0: the topic's partitions.</param>
/// <param name="Generation">The last that it gave.</param>
/// <param name="Shards">How far each was read.</param>
/// <param name="Paused">Whether its members get no shards.</param>
internal sealed record StoredGroup(string Name, Guid TopicId, int InputShards, long Generation, StoredProgress[] Shards, bool Paused = false);

/// <summary>How far a shard was read.</summary>
internal readonly record struct StoredProgress(int Shard, long Committed, long CommittedUnixMs, long GapRecords);

/// <summary>How far a group had read a shard at a time.</summary>
internal readonly record struct OffsetPoint(int Shard, long UnixMs, long Offset);

[JsonSerializable(typeof(StoredTopic))]
[JsonSerializable(typeof(GroupLog.Line))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class StoredJson : JsonSerializerContext;
