using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Commands;

/// <summary>Collects the records that a peek shows from the batches that the broker returns.</summary>
/// <param name="from">The offset of the first record that is wanted.</param>
/// <param name="count">How many records are wanted.</param>
internal sealed class PeekPage(long from, int count)
{
    private readonly List<RecordAnswer> _records = [];
    private readonly List<UnreadableAnswer> _unreadable = [];

    /// <summary>What was found.</summary>
    public IReadOnlyList<RecordAnswer> Records => _records;

    /// <summary>What lies between and cannot be shown; such a batch or hole counts as one record.</summary>
    public IReadOnlyList<UnreadableAnswer> Unreadable => _unreadable;

    /// <summary>Where to read on.</summary>
    public long NextOffset { get; private set; } = from;

    /// <summary>How many records are still wanted.</summary>
    public int Left => count - _records.Count - _unreadable.Count;

    /// <summary>Takes an answer. False when there is nothing more to ask for.</summary>
    public bool TryAdd(PeekResponse response)
    {
        var begin = NextOffset = Math.Max(NextOffset, response.LogStartOffset);
        if (response.Batches.Count == 0 && NextOffset < response.HighWatermark)
            AddHole(response.HighWatermark);
        foreach (var batch in response.Batches)
        {
            if (batch.BaseOffset > NextOffset && Left > 0)
                AddHole(batch.BaseOffset);
            if (Left > 0)
                Add(batch);
        }
        return Left > 0 && NextOffset > begin && NextOffset < response.HighWatermark;
    }

    private void AddHole(long to)
    {
        _unreadable.Add(new UnreadableAnswer(NextOffset, to, null, 0, "missing: the log is damaged here"));
        NextOffset = to;
    }

    private void Add(FetchedBatch fetched)
    {
        var (begin, end) = (fetched.BaseOffset, fetched.BaseOffset + fetched.RecordCount);
        if (end <= NextOffset)
            return;
        try
        {
            var batch = RecordBatch.Decode(fetched.Batch.Span);
            if (batch.Count != fetched.RecordCount)
                throw new RecordBatchException($"a record batch of {batch.Count} records, where the log has {fetched.RecordCount}");
            var skip = (int)(NextOffset - begin);
            var shown = batch.Samples().Skip(skip).Take(Left).ToList();
            _records.AddRange(shown.Select((sample, i) => Record(fetched, sample, skip + i, batch.Poisoned.Contains(skip + i))));
            NextOffset += shown.Count;
        }
        catch (RecordBatchException error)
        {
            _unreadable.Add(new UnreadableAnswer(begin, end, Figures.At(fetched.AppendTimeUnixMs), fetched.Batch.Length, $"cannot be decoded: {error.Message}"));
            NextOffset = end;
        }
    }

    private static RecordAnswer Record(FetchedBatch fetched, GpuSample sample, int index, bool isPoisoned)
    {
        var gpu = sample.Identity;
        return new RecordAnswer(
            fetched.BaseOffset + index,
            Figures.At(fetched.AppendTimeUnixMs),
            Figures.At(sample.TimeUnixMs),
            gpu.HostId,
            gpu.GpuId,
            Label(gpu.Uuid),
            Label(gpu.Model),
            Label(gpu.Device),
            Label(gpu.Pod),
            Label(gpu.Namespace),
            Label(gpu.Container),
            sample.Values.Where(value => double.IsFinite(value.Value)).ToDictionary(value => value.Name, value => value.Value),
            isPoisoned);
    }

    private static string? Label(string text) => text.Length == 0 ? null : text;
}
