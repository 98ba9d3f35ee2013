using System.Diagnostics;
using Telemetry.Messaging.Records;
using Telemetry.Streamer.Sources;

namespace Telemetry.Streamer.Shards;

/// <summary>A batch that is encoded and not yet handed to the queue.</summary>
/// <param name="Bytes">The encoded record batch.</param>
/// <param name="Records">Its records.</param>
/// <param name="Position">Where the shard stands after it.</param>
/// <param name="LastTimeUnixMs">The time of its last record.</param>
/// <param name="Activity">The span that made it; null when nobody listens.</param>
internal sealed record EncodedBatch(ReadOnlyMemory<byte> Bytes, int Records, SourcePosition Position, long LastTimeUnixMs, Activity? Activity);

/// <summary>One shard of the input: where it stands, and the records that were read and not yet made a batch.</summary>
internal sealed class Shard
{
    /// <summary>At full speed a batch has this many records at most.</summary>
    public const int BatchRecordsMax = 4_000;

    /// <summary>A batch is closed when it may have become this large.</summary>
    public const int BatchBytesMax = 256 * 1024;

    private static long s_stamps;

    private readonly RecordBatchBuilder _builder = new();
    private int[] _metricIndex = [];
    private long _lastTimeUnixMs;
    private SourceStand _stand;

    public Shard(int number, long pass, Place resume, long skipRecords)
    {
        Number = number;
        Pass = pass;
        Resume = resume;
        WindowBegin = resume;
        SkipRecords = skipRecords;
        Stamp = Interlocked.Increment(ref s_stamps);
    }

    /// <summary>The shard's number.</summary>
    public int Number { get; }

    /// <summary>How often this shard's input was read to its end before.</summary>
    public long Pass { get; set; }

    /// <summary>Rows before this place are passed over.</summary>
    public Place Resume { get; set; }

    /// <summary>In a long file: where the next window begins, which is where the last one ended.</summary>
    public Place WindowBegin { get; set; }

    /// <summary>Within the file that is being read: rows before this byte are passed over.</summary>
    public long ResumeOffset { get; set; }

    /// <summary>Records that come next and are in the queue already.</summary>
    public long SkipRecords { get; set; }

    /// <summary>In a long file: the end of its first window, where that was decided before; -1 otherwise.</summary>
    public long DecidedWindowEnd { get; set; } = -1;

    /// <summary>In a long file: the window that takes rows; null when there is none.</summary>
    public LongWindow? Open { get; set; }

    /// <summary>In a long file: the window whose records are being taken; null when there is none.</summary>
    public LongWindow? Sealed { get; set; }

    /// <summary>Records that are waiting for a batch.</summary>
    public int Count => _builder.Count;

    /// <summary>Distinct metrics among them.</summary>
    public int MetricCount { get; private set; }

    /// <summary>Names the batch that is being filled; no other shard or batch has the same.</summary>
    public long Stamp { get; private set; }

    /// <summary>Whether the records have to be made a batch before another is added.</summary>
    public bool IsFull => Count >= BatchRecordsMax || _builder.EncodedBytesMax >= BatchBytesMax || (MetricCount > LongWindow.MetricsMax && (Open is not null || Sealed is not null));

    /// <summary>Goes to the input's first row.</summary>
    public void Restart(Place begin)
    {
        Resume = begin;
        WindowBegin = begin;
        // Whatever is left of these belongs to rows that are gone.
        SkipRecords = 0;
        DecidedWindowEnd = -1;
    }

    /// <summary>Begins a record.</summary>
    public void Begin(Series series, long timeUnixMs)
    {
        if (series.BatchStamp != Stamp)
        {
            series.BatchIndex = _builder.Series(series.Identity!);
            series.BatchStamp = Stamp;
        }
        _builder.BeginRecord(timeUnixMs, series.BatchIndex);
        _lastTimeUnixMs = timeUnixMs;
    }

    /// <summary>Sets a value of the record begun last.</summary>
    public void Set(int metric, double value, MetricTable metrics)
    {
        if (metric >= _metricIndex.Length)
        {
            var known = _metricIndex.Length;
            Array.Resize(ref _metricIndex, metrics.Count + 16);
            Array.Fill(_metricIndex, -1, known, _metricIndex.Length - known);
        }
        ref var index = ref _metricIndex[metric];
        if (index < 0)
        {
            index = _builder.Metric(metrics[metric].Name);
            MetricCount++;
        }
        _builder.Set(index, value);
    }

    /// <summary>Says where the shard stands after the record begun last.</summary>
    public void Stand(long fileIdentity, Place place, long windowEnd = -1, long windowSent = 0) =>
        _stand = new SourceStand(Pass, fileIdentity, place, windowEnd, windowSent);

    /// <summary>Makes the waiting records a batch.</summary>
    public EncodedBatch TakeBatch(Activity? activity)
    {
        var bytes = _builder.Build(activity?.Context ?? default);
        var position = new SourcePosition(_stand.Pass, _stand.FileIdentity, _stand.Place.Offset, _stand.Place.Line, _stand.WindowEnd, _stand.WindowSent);
        var batch = new EncodedBatch(bytes, _builder.Count, position, _lastTimeUnixMs, activity);
        _builder.Clear();
        Array.Fill(_metricIndex, -1);
        MetricCount = 0;
        Stamp = Interlocked.Increment(ref s_stamps);
        return batch;
    }

    /// <summary>A <see cref="SourcePosition"/> that costs no allocation a record.</summary>
    private readonly record struct SourceStand(long Pass, long FileIdentity, Place Place, long WindowEnd, long WindowSent);
}
