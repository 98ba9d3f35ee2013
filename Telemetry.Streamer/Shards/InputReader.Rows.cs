using Telemetry.Streamer.Sources;

namespace Telemetry.Streamer.Shards;

/// <summary>Rows become records: a wide row at once, long rows by way of a window.</summary>
internal sealed partial class InputReader
{
    /// <summary>Under TIMESTAMP_MODE=now the times of one GPU may run ahead of the clock by this much, to stay distinct.</summary>
    private const long AheadMsMax = 1_000;

    private readonly List<Shard> _ready = []; // shards with a sealed window
    private readonly Stack<LongWindow> _windowPool = [];
    private readonly List<(int Metric, double Value)> _taken = [];
    private (int Field, int Metric, Metric Known, byte[] Unit)[] _wide = [];
    private int[] _wideMetrics = [];
    private double[] _wideValues = [];
    private byte[] _lastTime = [];
    private long _lastTimeUnixMs;

    /// <summary>Whether rows of a long file wait in windows that have not ended.</summary>
    public bool HasOpenWindows => Shards.Any(shard => shard.Open is { IsEmpty: false });

    /// <summary>Ends all windows, or those of one file; their records come next. False when there are none.</summary>
    public bool SealWindows(int? ofFile = null)
    {
        foreach (var shard in Shards)
        {
            if (ofFile is { } file && shard.Open is { IsEmpty: false } other && other.End.File != file)
                continue;
            if (shard.Open is { IsEmpty: false })
                Seal(shard);
            else
                Recycle(shard.Open);
            shard.Open = null;
        }
        return _ready.Count > 0;
    }

    private void PrepareWide()
    {
        _wide = [.. _file!.Layout.Metrics.Select(column => (column.Field, _metrics.Number(column.Metric), column.Metric, column.Unit))];
        if (_wideMetrics.Length < _wide.Length)
            (_wideMetrics, _wideValues) = (new int[_wide.Length], new double[_wide.Length]);
    }

    private void ReadWideRow(CsvRowReader rows, CsvLayout layout)
    {
        var gpu = _gpus.Find(rows.Field(layout.Host), rows.Field(layout.Gpu));
        if (_shards[gpu.Shard] is not { } shard || rows.Offset < shard.ResumeOffset)
            return;
        Rows++;
        if (!TryReadSeries(rows, layout, gpu, out var series))
            return;
        var time = 0L;
        if (!_options.StampNow && !TryReadTime(rows, layout, out time))
            return;
        var count = 0;
        foreach (var (field, metric, known, unit) in _wide)
        {
            if (!TryReadValue(rows, field, known, unit, out var value))
                continue;
            _wideMetrics[count] = metric;
            _wideValues[count++] = value;
        }
        if (count == 0)
        {
            _badRows.Row(RowReasons.NoValues, _file!.Name, rows.Line);
            return;
        }
        if (Begin(shard, series, time))
        {
            for (var i = 0; i < count; i++)
                shard.Set(_wideMetrics[i], _wideValues[i], _metrics);
            End(shard);
        }
        shard.Stand(_file!.Identity, new Place(_at.File, rows.EndOffset, rows.EndLine));
    }

    private void ReadLongRow(CsvRowReader rows, CsvLayout layout)
    {
        var gpu = _gpus.Find(rows.Field(layout.Host), rows.Field(layout.Gpu));
        if (_shards[gpu.Shard] is not { } shard || rows.Offset < shard.ResumeOffset)
            return;
        Rows++;
        // The time makes the record, also where it is stamped anew.
        var time = 0L;
        if (!TryReadSeries(rows, layout, gpu, out var series) || (layout.Time >= 0 && !TryReadTime(rows, layout, out time)))
            return;
        var metric = _metrics.Number(rows.Field(layout.MetricName));
        if (metric < 0)
        {
            _badRows.Row(RowReasons.BadMetricName, _file!.Name, rows.Line);
            return;
        }
        if (!TryReadValue(rows, layout.Value, _metrics[metric], [], out var value))
            return;
        if (shard.Open is { } open && open.EndsBefore(rows.Offset, time))
            Seal(shard);
        shard.Open ??= NewWindow(shard);
        shard.Open.Add(rows.Offset, new Place(_at.File, rows.EndOffset, rows.EndLine), time, series, metric, value);
    }

    private bool TryReadSeries(CsvRowReader rows, CsvLayout layout, Gpu gpu, out Series series)
    {
        series = null!;
        if (rows.FieldCount != layout.FieldCount)
        {
            if (rows.FieldCount < layout.FieldCount)
            {
                _badRows.Row(RowReasons.MissingColumns, _file!.Name, rows.Line);
                return false;
            }
            for (var i = layout.FieldCount; i < rows.FieldCount; i++)
            {
                if (rows.Field(i).Length == 0)
                    continue;
                _badRows.Row(RowReasons.ExtraColumns, _file!.Name, rows.Line);
                return false;
            }
        }
        series = GpuTable.SeriesOf(gpu, rows, layout.Labels);
        if (series.Identity is not null)
            return true;
        _badRows.Row(series.Problem, _file!.Name, rows.Line);
        return false;
    }

    private bool TryReadTime(CsvRowReader rows, CsvLayout layout, out long unixMs)
    {
        var cell = rows.Field(layout.Time);
        // The rows of a scrape have the same time.
        if (_lastTime.Length > 0 && cell.SequenceEqual(_lastTime))
        {
            unixMs = _lastTimeUnixMs;
            return true;
        }
        if (!SourceTime.TryParse(cell, out unixMs))
        {
            _badRows.Row(RowReasons.BadTimestamp, _file!.Name, rows.Line);
            return false;
        }
        if (_lastTime.Length != cell.Length)
            _lastTime = new byte[cell.Length];
        cell.CopyTo(_lastTime);
        _lastTimeUnixMs = unixMs;
        return true;
    }

    private bool TryReadValue(CsvRowReader rows, int field, Metric metric, byte[] unit, out double value)
    {
        var kind = MetricCell.Read(rows.Field(field), unit, out value);
        if (kind == CellKind.Number && metric.Accepts(value))
            return true;
        if (kind != CellKind.Absent)
        {
            var reason = kind switch
            {
                CellKind.Number => RowReasons.OutOfRange,
                CellKind.NotFinite => RowReasons.NotFinite,
                _ => RowReasons.BadNumber,
            };
            _badRows.Value(reason, _file!.Name, rows.Line, metric.Name);
        }
        return false;
    }

    private LongWindow NewWindow(Shard shard)
    {
        var window = _windowPool.Count > 0 ? _windowPool.Pop() : new LongWindow(_options.WindowRows);
        var begin = shard.WindowBegin.File == _at.File ? shard.WindowBegin : Begin(_at.File);
        window.Reset(begin, shard.DecidedWindowEnd);
        shard.DecidedWindowEnd = -1;
        return window;
    }

    private void Recycle(LongWindow? window)
    {
        if (window is not null)
            _windowPool.Push(window);
    }

    private void Seal(Shard shard)
    {
        shard.WindowBegin = shard.Open!.End;
        shard.Sealed = shard.Open;
        shard.Open = null;
        _ready.Add(shard);
    }

    /// <summary>Takes the record that comes first in the file out of the sealed windows.</summary>
    private void EmitReady()
    {
        var shard = _ready[0];
        for (var i = 1; i < _ready.Count; i++)
        {
            if (_ready[i].Sealed!.NextOffset < shard.Sealed!.NextOffset)
                shard = _ready[i];
        }
        var window = shard.Sealed!;
        var identity = _input.Files[window.End.File].Identity;
        var (series, time) = window.Take(_taken);
        if (Begin(shard, series, time))
        {
            foreach (var (metric, value) in _taken)
                shard.Set(metric, value, _metrics);
            End(shard);
        }
        if (!window.IsTaken)
        {
            shard.Stand(identity, window.Begin, window.End.Offset, window.Taken);
            return;
        }
        shard.Stand(identity, window.End);
        _ready.Remove(shard);
        Recycle(window);
        shard.Sealed = null;
    }

    /// <summary>Begins a record; false when it is in the queue already.</summary>
    private bool Begin(Shard shard, Series series, long sourceTimeUnixMs)
    {
        if (shard.SkipRecords > 0)
        {
            shard.SkipRecords--;
            return false;
        }
        shard.Begin(series, _options.StampNow ? Stamp(series.Gpu) : sourceTimeUnixMs);
        return true;
    }

    private void End(Shard shard)
    {
        Records++;
        _left--;
        if (shard.IsFull)
            FullShard = shard;
    }

    private long Stamp(Gpu gpu)
    {
        var last = gpu.LastTimeUnixMs;
        var time = _nowUnixMs > last ? _nowUnixMs : last - _nowUnixMs < AheadMsMax ? last + 1 : last;
        return gpu.LastTimeUnixMs = time;
    }
}
