using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Telemetry.Messaging.Records;

namespace Telemetry.Streamer.Sources;

/// <summary>A GPU as rows name it: host and index. Equal by these, for the table may forget one and make it again.</summary>
internal sealed class Gpu(byte[] host, byte[] index, int shard, ulong hash) : IEquatable<Gpu>
{
    /// <summary>Series that are remembered of one GPU: more come only from labels that change all the time.</summary>
    private const int SeriesMax = 64;

    private int _seriesCount;

    /// <summary>The host, as UTF-8.</summary>
    public byte[] Host { get; } = host;

    /// <summary>The GPU's index on its host, as UTF-8.</summary>
    public byte[] Index { get; } = index;

    /// <summary>The shard of input that its rows belong to.</summary>
    public int Shard { get; } = shard;

    /// <summary>Its series, the newest first: nearly always one.</summary>
    public Series? Series { get; private set; }

    /// <summary>The next GPU with the same hash.</summary>
    public Gpu? Next { get; init; }

    /// <summary>The time of its last record under TIMESTAMP_MODE=now.</summary>
    public long LastTimeUnixMs { get; set; } = long.MinValue;

    /// <summary>Whether this is the GPU with these names.</summary>
    public bool Is(ReadOnlySpan<byte> host, ReadOnlySpan<byte> index) => index.SequenceEqual(Index) && host.SequenceEqual(Host);

    /// <summary>Adds a series.</summary>
    public Series Add(byte[][] labels, GpuIdentity? identity, string problem)
    {
        var forget = _seriesCount == SeriesMax;
        _seriesCount = forget ? 1 : _seriesCount + 1;
        return Series = new Series(this, labels, identity, problem) { Next = forget ? null : Series };
    }

    /// <inheritdoc/>
    public bool Equals(Gpu? other) => ReferenceEquals(this, other) || (other is not null && Is(other.Host, other.Index));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Gpu);

    /// <inheritdoc/>
    public override int GetHashCode() => hash.GetHashCode();
}

/// <summary>A GPU with one set of labels.</summary>
internal sealed class Series(Gpu gpu, byte[][] labels, GpuIdentity? identity, string problem)
{
    /// <summary>The GPU.</summary>
    public Gpu Gpu { get; } = gpu;

    /// <summary>The optional labels as UTF-8, in the order of <see cref="CsvLayout.Labels"/>.</summary>
    public byte[][] Labels { get; } = labels;

    /// <summary>The identity; null when <see cref="Problem"/> says why there is none.</summary>
    public GpuIdentity? Identity { get; } = identity;

    /// <summary>One of <see cref="RowReasons"/>; empty for none.</summary>
    public string Problem { get; } = problem;

    /// <summary>The next series of the GPU.</summary>
    public Series? Next { get; init; }

    /// <summary>The batch for which <see cref="BatchIndex"/> is right.</summary>
    public long BatchStamp { get; set; }

    /// <summary>The series' index in that batch.</summary>
    public int BatchIndex { get; set; }
}

/// <summary>
/// The identities seen so far, found by the raw bytes of their cells: no string is made a row, and a row of a shard that is
/// not owned costs one hash. Bounded: it forgets everything when it is full.
/// </summary>
internal sealed class GpuTable(int shards)
{
    private const int GpusMax = 500_000;

    private static readonly SearchValues<byte> ControlCharacters = SearchValues.Create([.. Enumerable.Range(0, 32).Select(i => (byte)i), 127]);

    private readonly Dictionary<ulong, Gpu> _gpus = [];

    /// <summary>The GPU of a row; adds it if it is new.</summary>
    public Gpu Find(ReadOnlySpan<byte> host, ReadOnlySpan<byte> index)
    {
        if (_gpus.Count > GpusMax)
            _gpus.Clear();
        var hash = XxHash3.HashToUInt64(host) ^ (XxHash3.HashToUInt64(index) * 0x9E3779B97F4A7C15UL);
        ref var first = ref CollectionsMarshal.GetValueRefOrAddDefault(_gpus, hash, out _);
        for (var gpu = first; gpu is not null; gpu = gpu.Next)
        {
            if (gpu.Is(host, index))
                return gpu;
        }
        var shard = (int)(GpuIdentity.Hash(host, index) % (uint)shards);
        return first = new Gpu(host.ToArray(), index.ToArray(), shard, hash) { Next = first };
    }

    /// <summary>The series of the row that a reader stands on; adds it if it is new.</summary>
    public static Series SeriesOf(Gpu gpu, CsvRowReader row, int[] labels)
    {
        for (var series = gpu.Series; series is not null; series = series.Next)
        {
            if (HasLabels(series, row, labels))
                return series;
        }
        var values = new byte[labels.Length][];
        for (var i = 0; i < labels.Length; i++)
            values[i] = Label(row, labels[i]).ToArray();
        return Make(gpu, values);
    }

    private static bool HasLabels(Series series, CsvRowReader row, int[] labels)
    {
        for (var i = 0; i < labels.Length; i++)
        {
            if (!Label(row, labels[i]).SequenceEqual(series.Labels[i]))
                return false;
        }
        return true;
    }

    private static ReadOnlySpan<byte> Label(CsvRowReader row, int field) => field < 0 ? default : row.Field(field);

    private static Series Make(Gpu gpu, byte[][] labels)
    {
        var problem = Problem(gpu, labels);
        string Text(int i) => MetricCell.IsAbsent(labels[i]) ? "" : Encoding.UTF8.GetString(labels[i]);
        var identity = problem.Length > 0 ? null : new GpuIdentity(
            Encoding.UTF8.GetString(gpu.Host), Encoding.UTF8.GetString(gpu.Index), Text(0), Text(1), Text(2), Text(3), Text(4), Text(5));
        return gpu.Add(labels, identity, problem);
    }

    private static string Problem(Gpu gpu, byte[][] labels)
    {
        if (MetricCell.IsAbsent(gpu.Host))
            return RowReasons.NoHost;
        if (MetricCell.IsAbsent(gpu.Index))
            return RowReasons.NoGpu;
        foreach (var text in labels.Prepend(gpu.Index).Prepend(gpu.Host))
        {
            if (text.Length > RecordBatchLimits.TextBytesMax)
                return RowReasons.TextTooLong;
            if (!Utf8.IsValid(text) || text.AsSpan().ContainsAny(ControlCharacters))
                return RowReasons.InvalidText;
        }
        return "";
    }
}
