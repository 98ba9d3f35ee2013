using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>
/// Chunks on their way into the store: put together outside of a transaction, several in a BLOB, and written in one. Chunks
/// of one level and hour that are added one after the other share packs.
/// </summary>
internal sealed class Packs
{
    // Large enough that the unused end of its last page does not matter, small enough to be read in part.
    private const int PackBytes = 128 * 1024;

    private readonly List<byte[]> _packs = [];
    private readonly List<ChunkEntry> _chunks = []; // their pack is an index into _packs
    private readonly ByteWriter _open = new();

    public IReadOnlyList<ChunkEntry> Chunks => _chunks;

    /// <summary>Adds a chunk; where it is kept is not known yet.</summary>
    public void Add(in ChunkEntry chunk, ReadOnlySpan<byte> bytes)
    {
        if (_chunks.Count > 0 && ((_chunks[^1].Level, _chunks[^1].Hour) != (chunk.Level, chunk.Hour) || _open.Length >= PackBytes))
            Close();
        _chunks.Add(chunk with { Pack = _packs.Count, Offset = _open.Length, Bytes = bytes.Length });
        _open.Bytes(bytes);
    }

    /// <summary>Nothing more is added.</summary>
    public void Close()
    {
        if (_open.Length == 0)
            return;
        _packs.Add(_open.Written.ToArray());
        _open.Clear();
    }

    /// <summary>Writes all of them. Inside a transaction.</summary>
    /// <param name="database">The file.</param>
    /// <param name="firstPack">The id of the first pack.</param>
    /// <param name="firstChunk">What is added to the chunks' ids.</param>
    /// <returns>The id of the next pack.</returns>
    public long Write(Database database, long firstPack, long firstChunk)
    {
        using var pack = database.Prepare("INSERT INTO pack (id, chunks) VALUES (?1, ?2)");
        using var data = database.Prepare("INSERT INTO pack_data (id, data) VALUES (?1, ?2)");
        using var insert = database.Prepare($"INSERT INTO chunk ({ChunkEntry.Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
        var next = 0;
        for (var i = 0; i < _packs.Count; i++)
        {
            var first = next;
            while (next < _chunks.Count && _chunks[next].Pack == i)
                next++;
            var id = firstPack + i;
            pack.Bind(1, id).Bind(2, next - first).Run();
            data.Bind(1, id).Bind(2, _packs[i]).Run();
            foreach (var chunk in _chunks[first..next])
            {
                insert.Bind(1, (long)chunk.Level).Bind(2, chunk.Hour).Bind(3, chunk.Gpu).Bind(4, firstChunk + chunk.Id).Bind(5, chunk.IsPart ? 1 : 0)
                    .Bind(6, chunk.Rows).Bind(7, chunk.FirstTime).Bind(8, chunk.LastTime).Bind(9, chunk.WrittenAt)
                    .Bind(10, id).Bind(11, chunk.Offset).Bind(12, chunk.Bytes).Run();
            }
        }
        return firstPack + _packs.Count;
    }

    /// <summary>Removes chunks, and the packs of which none is left. Inside a transaction.</summary>
    /// <returns>False where one of them is not there any more: another process was quicker.</returns>
    public static bool TryRemove(Database database, IEnumerable<ChunkEntry> chunks)
    {
        using var delete = database.Prepare("DELETE FROM chunk WHERE level = ?1 AND hour = ?2 AND gpu = ?3 AND id = ?4 AND pack = ?5 AND offset = ?6");
        using var leave = database.Prepare("UPDATE pack SET chunks = chunks - ?2 WHERE id = ?1");
        using var empty = database.Prepare("DELETE FROM pack WHERE id = ?1 AND chunks <= 0");
        using var data = database.Prepare("DELETE FROM pack_data WHERE id = ?1");
        var left = new SortedDictionary<long, int>();
        foreach (var chunk in chunks)
        {
            delete.Bind(1, (long)chunk.Level).Bind(2, chunk.Hour).Bind(3, chunk.Gpu).Bind(4, chunk.Id).Bind(5, chunk.Pack).Bind(6, chunk.Offset).Run();
            if (database.Changes == 0)
                return false;
            left[chunk.Pack] = left.GetValueOrDefault(chunk.Pack) + 1;
        }
        foreach (var (pack, count) in left)
        {
            leave.Bind(1, pack).Bind(2, count).Run();
            empty.Bind(1, pack).Run();
            if (database.Changes > 0)
                data.Bind(1, pack).Run();
        }
        return true;
    }
}
