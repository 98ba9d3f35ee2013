using Microsoft.Win32.SafeHandles;
using Telemetry.Messaging.Records;
using Telemetry.Streamer.Sources;

namespace Telemetry.Streamer.Shards;

/// <summary>Why <see cref="InputReader.Advance"/> came back.</summary>
internal enum ReadStep
{
    /// <summary>As many records as were asked for are waiting.</summary>
    Enough,

    /// <summary><see cref="InputReader.FullShard"/> has to make a batch.</summary>
    Full,

    /// <summary>The last file was read to its end.</summary>
    EndOfPass,

    /// <summary>Nothing more is in the followed file for now.</summary>
    LiveEnd,

    /// <summary>A file is another one than it was.</summary>
    InputChanged,

    /// <summary>The caller wants to look at something else.</summary>
    Interrupted,
}

/// <summary>How an input is read.</summary>
/// <param name="Shards">The number of shards that the input is divided into.</param>
/// <param name="StampNow">Whether records get the time at which they are read, instead of the source's.</param>
/// <param name="Follow">Whether lines are read as they are appended.</param>
/// <param name="WindowRows">Rows of a shard after which a window of a long file may end.</param>
internal sealed record ReadOptions(int Shards, bool StampNow, bool Follow, int WindowRows)
{
    /// <summary>Rows that the windows of all shards may hold before they end, in all; each has a part of it.</summary>
    private const int WindowRowsTotal = 256 * 1024;

    /// <summary>The options of the settings.</summary>
    public static ReadOptions Of(StreamerOptions options, int shards) => new(
        shards, options.TimestampMode == TimestampMode.Now, options.Follow, Math.Clamp(WindowRowsTotal / shards, 1024, 16 * 1024));
}

/// <summary>
/// Reads the input once for all shards that this streamer owns: one pass from the smallest of their places on, in which the
/// rows of other shards, and rows before a shard's own place, are passed over. Not thread-safe.
/// </summary>
internal sealed partial class InputReader : IDisposable
{
    private const int RowsBetweenLooks = 1024;

    private readonly ReadOptions _options;
    private readonly BadRows _badRows;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Shard?[] _shards;
    private readonly GpuTable _gpus;
    private readonly MetricTable _metrics = new();
    private Input _input;
    private InputFile? _file;
    private SafeFileHandle? _handle;
    private CsvRowReader? _rows;
    private long _limit;
    private Place _at;
    private bool _checkFit;
    private long _nowUnixMs;
    private int _left;

    public InputReader(Input input, ReadOptions options, BadRows badRows, TimeProvider time, ILogger logger)
    {
        _input = input;
        _options = options;
        _badRows = badRows;
        _time = time;
        _logger = logger;
        _shards = new Shard?[options.Shards];
        _gpus = new GpuTable(options.Shards);
        foreach (var file in input.Files.Where(file => file.Layout.Duplicates.Count > 0))
            StreamerLog.DuplicateColumns(logger, file.Name, string.Join(", ", file.Layout.Duplicates));
    }

    /// <summary>The shard to make a batch of, after <see cref="ReadStep.Full"/>.</summary>
    public Shard? FullShard { get; private set; }

    /// <summary>How many of the records asked for are still to be read.</summary>
    public int Left => _left;

    /// <summary>The shards that are read.</summary>
    public IEnumerable<Shard> Shards => _shards.OfType<Shard>();

    /// <summary>Rows of these shards that were read, bad ones included.</summary>
    public long Rows { get; private set; }

    /// <summary>Records that were made of them.</summary>
    public long Records { get; private set; }

    /// <summary>The bytes of the pass that lie behind.</summary>
    public long BytesDone => _input.Files.Take(_at.File).Sum(file => file.Length) + _at.Offset;

    /// <summary>Where a shard begins, from what the queue has of it.</summary>
    /// <param name="number">The shard.</param>
    /// <param name="encodedPosition">The position that was acknowledged last; empty for none.</param>
    /// <param name="recordsAfter">Records of the shard that were acknowledged after it.</param>
    public Shard Resume(int number, ReadOnlySpan<byte> encodedPosition, long recordsAfter)
    {
        var begin = Begin(0);
        if (encodedPosition.Length == 0)
            return new Shard(number, 0, begin, recordsAfter);
        if (SourcePosition.Decode(encodedPosition) is not { } position || _input.IndexOf(position.FileIdentity) is not (>= 0 and var index))
        {
            StreamerLog.UnknownPosition(_logger, number);
            return new Shard(number, 0, begin, 0);
        }
        var file = _input.Files[index];
        if (position.Offset > LengthNow(index))
        {
            StreamerLog.FileShorter(_logger, file.Name, position.Offset, number);
            return new Shard(number, position.Pass, Begin(index), 0);
        }
        StreamerLog.ShardOpened(_logger, number, file.Name, position.Offset, position.Line, position.RecordsSent + recordsAfter);
        return new Shard(number, position.Pass, new Place(index, position.Offset, position.Line), position.RecordsSent + recordsAfter)
        {
            DecidedWindowEnd = position.WindowEnd,
        };
    }

    /// <summary>Whether a position of this input lies behind another one; every position lies behind none.</summary>
    public bool IsLater(ReadOnlySpan<byte> encodedPosition, ReadOnlySpan<byte> than)
    {
        if (SourcePosition.Decode(encodedPosition) is not { } position || _input.IndexOf(position.FileIdentity) is not (>= 0 and var file))
            return false;
        if (SourcePosition.Decode(than) is not { } other || _input.IndexOf(other.FileIdentity) is not (>= 0 and var otherFile))
            return true;
        return (position.Pass, file, position.Offset, position.RecordsSent).CompareTo((other.Pass, otherFile, other.Offset, other.RecordsSent)) > 0;
    }

    /// <summary>How long a file is now: it may have grown since the input was opened.</summary>
    private long LengthNow(int file)
    {
        if (file == _at.File && _handle is not null)
            return RandomAccess.GetLength(_handle);
        var known = _input.Files[file];
        var now = new FileInfo(known.Path);
        return now.Exists ? now.Length : known.Length;
    }

    /// <summary>Sets the shards to read. Those that stay go on where reading stands, also when it goes back for new ones.</summary>
    public void SetShards(IReadOnlyCollection<Shard> shards)
    {
        foreach (var shard in Shards)
        {
            if (shards.Contains(shard))
                shard.Resume = Place.Later(shard.Resume, _at);
            else
                Drop(shard);
        }
        Array.Clear(_shards);
        foreach (var shard in shards)
            _shards[shard.Number] = shard;
        if (shards.Count > 0)
            Seek(shards.Select(shard => shard.Resume).Aggregate((a, b) => b.IsBefore(a) ? b : a));
    }

    /// <summary>Goes back to the first row, after <see cref="ReadStep.EndOfPass"/>.</summary>
    /// <param name="input">The same input, with the lengths that its files have now.</param>
    public void NextPass(Input input)
    {
        _input = input;
        foreach (var shard in Shards)
        {
            shard.Pass++;
            shard.Restart(Begin(0));
        }
        CloseFile();
        Seek(Begin(0));
    }

    /// <summary>Reads until some records are waiting in the shards, or something else has to be done.</summary>
    /// <param name="recordsMax">How many records to read.</param>
    /// <param name="interrupt">Comes back soon when cancelled.</param>
    public ReadStep Advance(int recordsMax, CancellationToken interrupt)
    {
        _left = recordsMax;
        FullShard = null;
        for (var look = 0; ; look++)
        {
            if (look % RowsBetweenLooks == 0)
            {
                if (interrupt.IsCancellationRequested)
                    return ReadStep.Interrupted;
                _nowUnixMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
            }
            if (_left == 0)
                return ReadStep.Enough;
            if (_checkFit && !AllFit())
                return ReadStep.Full;
            if (_ready.Count > 0)
                EmitReady();
            else if (_rows is null)
            {
                if (_at.File == _input.Files.Count)
                    return ReadStep.EndOfPass;
                if (!OpenFile())
                    return ReadStep.InputChanged;
            }
            else if (!ReadRow() && !EndFile())
                return ReadStep.LiveEnd;
            if (FullShard is not null)
                return ReadStep.Full;
        }
    }

    public void Dispose() => CloseFile();

    private Place Begin(int file) => new(file, _input.Files[file].DataOffset, _input.Files[file].DataLine);

    private void Drop(Shard shard)
    {
        _ready.Remove(shard);
        Recycle(shard.Open);
        Recycle(shard.Sealed);
        (shard.Open, shard.Sealed) = (null, null);
    }

    private void Seek(Place place)
    {
        if (_rows is not null && place == _at)
        {
            SetResumeOffsets();
            return;
        }
        // Within a file its handle stays: the path may lead to another file by now.
        if (place.File != _at.File)
            CloseFile();
        _rows?.Dispose();
        _rows = null;
        _at = place;
    }

    private void SetResumeOffsets()
    {
        foreach (var shard in Shards)
            shard.ResumeOffset = shard.Resume.File > _at.File ? long.MaxValue : shard.Resume.File == _at.File ? shard.Resume.Offset : 0;
    }

    private InputFile? OpenAgain(InputFile known) => InputFile.Open(known.Path, needsTime: !_options.StampNow, _options.Follow);

    /// <summary>Opens the file that reading stands in; false when it is another one than it was.</summary>
    private bool OpenFile()
    {
        var known = _input.Files[_at.File];
        if (_handle is null)
        {
            _handle = InputFile.OpenHandle(known.Path);
            if (OpenAgain(known)?.Identity != known.Identity)
            {
                CloseFile();
                return false;
            }
        }
        _file = known;
        _limit = _options.Follow ? InputFile.EndOfLastLine(_handle, 0, RandomAccess.GetLength(_handle)) : FileSlice.ToEnd;
        _rows = new CsvRowReader(_handle, known.Layout.Separator, _at.Offset, _at.Line, _limit);
        _checkFit = true;
        SetResumeOffsets();
        PrepareWide();
        _lastTime = [];
        return true;
    }

    private void CloseFile()
    {
        _rows?.Dispose();
        _rows = null;
        _handle?.Dispose();
        _handle = null;
    }

    /// <summary>Whether the waiting records leave room for this file's metrics in the same batch.</summary>
    private bool AllFit()
    {
        var most = _file!.Layout.IsLong ? LongWindow.MetricsMax : _file.Layout.Metrics.Count;
        FullShard = Shards.FirstOrDefault(shard => shard.MetricCount > 0 && shard.MetricCount + most > RecordBatchLimits.MetricsMax);
        _checkFit = FullShard is not null;
        return FullShard is null;
    }

    /// <summary>Handles one row; false at the end of what may be read.</summary>
    private bool ReadRow()
    {
        var rows = _rows!;
        switch (rows.Read())
        {
            case RowKind.End:
                return false;
            case RowKind.Row when _file!.Layout.IsLong:
                ReadLongRow(rows, _file.Layout);
                break;
            case RowKind.Row:
                ReadWideRow(rows, _file.Layout);
                break;
            default:
                // What is not a row has no GPU; it is counted by the streamer that has the first shard.
                if (_shards[0] is { } first && rows.Offset >= first.ResumeOffset)
                {
                    Rows++;
                    _badRows.Row(rows.BrokenReason, _file!.Name, rows.Line);
                }
                break;
        }
        _at = new Place(_at.File, rows.EndOffset, rows.EndLine);
        return true;
    }

    /// <summary>At the end of a file: closes its windows, then goes to the next. False when the file is followed, and has no end.</summary>
    private bool EndFile()
    {
        if (_options.Follow)
            return false;
        // Only this file's: after going back for a new shard, others may hold rows of a later file.
        if (SealWindows(_at.File))
            return true;
        CloseFile();
        _at = _at.File + 1 < _input.Files.Count ? Begin(_at.File + 1) : new Place(_input.Files.Count, 0, 1);
        return true;
    }
}
