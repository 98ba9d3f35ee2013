using Telemetry.Broker.Disk;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>
/// A disk in memory that loses, on a power cut, what a real one may lose: of each write since the last sync any part, in
/// sectors, and names that were not synced with their folder.
/// </summary>
internal sealed class SimulatedDisk : IDisk
{
    private readonly HashSet<string> _directories = [];
    private readonly Dictionary<string, Contents> _durableNames = [];
    private readonly Dictionary<string, Contents> _names = [];
    private int _incarnation;

    /// <summary>Bytes that can still be written; null: no end.</summary>
    public long? Room { get; set; }

    /// <summary>Every sync of a file fails from now on.</summary>
    public bool FailSync { get; set; }

    /// <summary>The process dies at so many further writes, syncs and renames; null: not by itself.</summary>
    public int? DiesAfter { get; set; }

    /// <summary>Whether it died.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Syncs of files so far.</summary>
    public int Syncs { get; private set; }

    /// <summary>The files that are there.</summary>
    public IEnumerable<string> Files => _names.Keys.Order(StringComparer.Ordinal);

    /// <summary>What a file holds; can be written to.</summary>
    public List<byte> Contents(string path) => _names[path].Current;

    /// <summary>Replaces what a file holds, durably: damage.</summary>
    public void Overwrite(string path, byte[] bytes) => _names[path] = _durableNames[path] = new Contents(bytes);

    /// <summary>What the machine has after a power cut, or after the process was killed: then all that was written.</summary>
    public SimulatedDisk After(Random? powerCut)
    {
        var after = new SimulatedDisk();
        after._directories.UnionWith(_directories);
        if (powerCut is null)
        {
            // The machine lives on, and with it what was not synced yet: it may still go with the power.
            var copies = new Dictionary<Contents, Contents>();
            foreach (var (name, file) in _names)
                after._names[name] = Copy(file);
            foreach (var (name, file) in _durableNames)
                after._durableNames[name] = Copy(file);
            return after;

            Contents Copy(Contents file) => copies.TryGetValue(file, out var copy) ? copy : copies[file] = new Contents(file);
        }
        foreach (var name in _names.Keys.Union(_durableNames.Keys).Order(StringComparer.Ordinal))
        {
            var now = _names.GetValueOrDefault(name);
            var synced = _durableNames.GetValueOrDefault(name);
            var kept = now != synced && powerCut.Next(2) == 0 ? now : synced;
            if (kept is null)
                continue;
            after._names[name] = after._durableNames[name] = new Contents(kept.AfterPowerCut(powerCut));
        }
        return after;
    }

    /// <summary>From now on files that were opened before refuse everything, as those of a dead process.</summary>
    public void EndOpenFiles() => _incarnation++;

    public void MakeDirectory(string path)
    {
        for (var at = path; at is not null; at = Path.GetDirectoryName(at))
            _directories.Add(at);
    }

    public IReadOnlyList<string> Names(string directory) =>
    [
        .. _names.Keys.Concat(_directories)
            .Where(path => Path.GetDirectoryName(path) == directory)
            .Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal),
    ];

    public IDiskFile Open(string path, bool create)
    {
        if (create)
        {
            if (_names.ContainsKey(path) || Room <= 0)
                throw Room <= 0 ? new DiskFullException("full") : new IOException($"{path} exists");
            _names[path] = new Contents([]);
        }
        return new SimulatedFile(this, _names.GetValueOrDefault(path) ?? throw new IOException($"{path} is missing"), _incarnation);
    }

    public void Delete(string path)
    {
        if (_names.Remove(path, out var file))
            Room += file.Current.Count;
    }

    public void DeleteDirectory(string path)
    {
        foreach (var name in _names.Keys.Where(name => name.StartsWith(path + Path.DirectorySeparatorChar, StringComparison.Ordinal)).ToList())
            _names.Remove(name);
        _directories.RemoveWhere(name => name == path || name.StartsWith(path + Path.DirectorySeparatorChar, StringComparison.Ordinal));
    }

    public void Rename(string from, string to)
    {
        Live();
        _names[to] = _names[from];
        _names.Remove(from);
    }

    public void SyncDirectory(string path)
    {
        Live();
        foreach (var name in _names.Keys.Union(_durableNames.Keys).Where(name => Path.GetDirectoryName(name) == path).ToList())
        {
            if (_names.TryGetValue(name, out var file))
                _durableNames[name] = file;
            else
                _durableNames.Remove(name);
        }
    }

    private void Live()
    {
        if (IsDead || DiesAfter-- == 0)
        {
            IsDead = true;
            throw new IOException("the process is dead");
        }
    }

    public IDisposable Lock(string path)
    {
        _names.TryAdd(path, new Contents([]));
        return new MemoryStream();
    }

    private sealed class SimulatedFile(SimulatedDisk disk, Contents contents, int incarnation) : IDiskFile
    {
        private bool _disposed;

        public long Length => Usable().Current.Count;

        public int Read(long position, Span<byte> into)
        {
            var current = Usable().Current;
            var count = (int)Math.Clamp(current.Count - position, 0, into.Length);
            for (var i = 0; i < count; i++)
                into[i] = current[(int)position + i];
            return count;
        }

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
        {
            var file = Usable();
            // Killed in a write: some of it may be there.
            if (disk.DiesAfter == 0)
                file.Write((int)position, parts[0].ToArray()[..(parts[0].Length / 2)]);
            disk.Live();
            foreach (var part in parts)
            {
                var bytes = part.ToArray();
                var fits = disk.Room is { } room ? (int)Math.Min(room, bytes.Length) : bytes.Length;
                file.Write((int)position, bytes[..fits]);
                disk.Room -= fits;
                position += fits;
                if (fits < bytes.Length)
                    throw new DiskFullException("full");
            }
        }

        public void Sync()
        {
            var file = Usable();
            disk.Live();
            if (disk.FailSync)
                throw new IOException("input/output error");
            disk.Syncs++;
            file.Sync();
        }

        public void Truncate(long length)
        {
            var current = Usable().Current;
            disk.Room += Math.Max(0, current.Count - length);
            current.RemoveRange((int)length, current.Count - (int)length);
        }

        public void Dispose() => _disposed = true;

        private Contents Usable()
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return incarnation == disk._incarnation ? contents : throw new IOException("the process is dead");
        }
    }
}

/// <summary>A file of a <see cref="SimulatedDisk"/>.</summary>
internal sealed class Contents(IEnumerable<byte> bytes)
{
    private const int SectorBytes = 512;

    private readonly List<(int Position, byte[] Bytes)> _unsynced = [];
    private byte[] _synced = [.. bytes];

    public Contents(Contents other)
        : this(other.Current)
    {
        _synced = other._synced;
        _unsynced.AddRange(other._unsynced);
    }

    public List<byte> Current { get; } = [.. bytes];

    public void Write(int position, byte[] bytes)
    {
        Put(Current, position, bytes);
        _unsynced.Add((position, bytes));
    }

    public void Sync()
    {
        _synced = [.. Current];
        _unsynced.Clear();
    }

    public byte[] AfterPowerCut(Random random)
    {
        List<byte> left = [.. _synced];
        foreach (var (position, bytes) in _unsynced)
        {
            for (var at = 0; at < bytes.Length;)
            {
                var next = Math.Min(bytes.Length, ((((position + at) / SectorBytes) + 1) * SectorBytes) - position);
                if (random.Next(3) != 0)
                    Put(left, position + at, bytes[at..next]);
                at = next;
            }
        }
        return [.. left];
    }

    private static void Put(List<byte> into, int position, byte[] bytes)
    {
        while (into.Count < position)
            into.Add(0);
        var over = Math.Min(bytes.Length, into.Count - position);
        for (var i = 0; i < over; i++)
            into[position + i] = bytes[i];
        into.AddRange(bytes[over..]);
    }
}
