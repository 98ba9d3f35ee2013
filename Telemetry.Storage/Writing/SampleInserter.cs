using System.Buffers;
using System.Text;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Writing;

/// <summary>
/// Appends rows with statements of many rows each, bound column by column.
/// </summary>
internal sealed class SampleInserter(Database database, MetricColumns columns, SeriesTable series, LatestTable latest) : IDisposable
{
    private const int FixedColumns = 2; // time, gpu
    private const int ParametersMax = 32_766; // SQLITE_MAX_VARIABLE_NUMBER
    private const int CachedMax = 32;

    private static readonly int[] RowsAStatement = [64, 16, 4, 1];

    private readonly Dictionary<(string Columns, int Rows), Statement> _statements = [];
    private readonly Dictionary<(string Metric, string Reason), long> _refused = [];
    private List<int> _metrics = []; // the indices of the block's metrics that have a column
    private IReadOnlyList<string> _metricsOf = [];
    private string _columnList = "";
    private bool _isFirst;

    /// <summary>Values left out in this transaction.</summary>
    public IReadOnlyList<RefusedValues> Refused => [.. _refused.Select(r => new RefusedValues(r.Key.Metric, r.Key.Reason, r.Value))];

    /// <summary>First in a transaction.</summary>
    public void Begin()
    {
        _isFirst = true;
        _refused.Clear();
        _metricsOf = [];
        _metrics = [];
        _columnList = "";
    }

    /// <summary>Writes a block's rows; adds them to <c>latest</c> and the zone map.</summary>
    /// <returns>The key of the row that follows.</returns>
    public long Insert(RowBlock block, long firstRow, BlockTable blocks, long now)
    {
        UseColumns(block);
        var keys = ArrayPool<long>.Shared.Rent(block.Series.Count);
        var extents = ArrayPool<LatestTable.Extent>.Shared.Rent(block.Series.Count);
        try
        {
            for (var i = 0; i < block.Series.Count; i++)
                keys[i] = -1; // resolved when a row needs it: a block of part of a batch may not use all
            extents.AsSpan(0, block.Series.Count).Fill(LatestTable.Extent.None);
            var row = firstRow;
            for (var done = 0; done < block.Count;)
            {
                var count = Math.Min(block.Count - done, blocks.Room(now));
                Track(block, block.Start + done, count, row, keys, extents, blocks);
                InsertRange(block, block.Start + done, count, row, keys);
                done += count;
                row += count;
            }
            for (var i = 0; i < block.Series.Count; i++)
            {
                if (keys[i] >= 0)
                    latest.Add(keys[i], extents[i]);
            }
            return row;
        }
        finally
        {
            ArrayPool<long>.Shared.Return(keys);
            ArrayPool<LatestTable.Extent>.Shared.Return(extents);
        }
    }

    private void Track(RowBlock block, int start, int count, long firstRow, long[] keys, LatestTable.Extent[] extents, BlockTable blocks)
    {
        var times = block.Times.Span.Slice(start, count);
        var seriesOf = block.SeriesOf.Span.Slice(start, count);
        var (min, max) = (long.MaxValue, long.MinValue);
        for (var i = 0; i < count; i++)
        {
            var time = times[i];
            min = Math.Min(min, time);
            max = Math.Max(max, time);
            var index = seriesOf[i];
            if (keys[index] < 0)
                keys[index] = series.KeyOf(block.Series[index]);
            extents[index].Add(time, firstRow + i);
        }
        if (min < RowBlock.TimeMin || max > RowBlock.TimeMax)
            throw new ArgumentException($"a row's time is outside the years 1 to 9999: {(min < RowBlock.TimeMin ? min : max)} ms");
        blocks.Add(count, min, max);
    }

    private void InsertRange(RowBlock block, int start, int count, long firstRow, long[] keys)
    {
        var done = 0;
        // The first row is given its key, and SQLite gives the next ones those that follow, which is quicker than checking each.
        if (_isFirst)
        {
            _isFirst = false;
            InsertRows(Prepared(1, withKey: true), block, start, 1, keys, firstRow);
            done = 1;
        }
        foreach (var rows in RowsAStatement)
        {
            if (rows > 1 && rows * (FixedColumns + _metrics.Count) > ParametersMax)
                continue;
            Statement? statement = null;
            for (; count - done >= rows; done += rows)
                InsertRows(statement ??= Prepared(rows, withKey: false), block, start + done, rows, keys, key: null);
        }
    }

    private void InsertRows(Statement statement, RowBlock block, int start, int rows, long[] keys, long? key)
    {
        var handle = statement.Handle;
        var width = FixedColumns + _metrics.Count + (key is null ? 0 : 1);
        var (parameter, errors) = (1, 0);
        if (key is { } value)
            errors |= Native.BindLong(handle, parameter++, value);
        var times = block.Times.Span.Slice(start, rows);
        for (var (i, p) = (0, parameter); i < times.Length; i++, p += width)
            errors |= Native.BindLong(handle, p, times[i]);
        parameter++;
        var seriesOf = block.SeriesOf.Span.Slice(start, rows);
        for (var (i, p) = (0, parameter); i < seriesOf.Length; i++, p += width)
            errors |= Native.BindLong(handle, p, keys[seriesOf[i]]);
        parameter++;
        foreach (var metric in _metrics)
            errors |= BindMetric(handle, parameter++, width, block, metric, block.Values[metric].Span.Slice(start, rows));
        database.Check(errors);
        statement.Run();
    }

    private int BindMetric(nint handle, int parameter, int width, RowBlock block, int metric, ReadOnlySpan<double> values)
    {
        var errors = 0;
        foreach (var value in values)
        {
            if (double.IsInfinity(value))
            {
                errors |= Native.BindNull(handle, parameter);
                Refuse(block.Metrics[metric], RefusedValues.NotFinite, 1);
            }
            else
            {
                errors |= Native.BindDouble(handle, parameter, value); // NaN becomes NULL
            }
            parameter += width;
        }
        return errors;
    }

    /// <summary>Makes columns for new metrics and counts the values of those that cannot have one.</summary>
    private void UseColumns(RowBlock block)
    {
        var refused = columns.Ensure(block.Metrics);
        foreach (var (name, reason) in refused)
        {
            var values = block.Values[IndexOf(block.Metrics, name)].Span.Slice(block.Start, block.Count);
            var present = 0;
            foreach (var value in values)
                present += double.IsNaN(value) ? 0 : 1;
            if (present > 0)
                Refuse(name, reason, present);
        }
        if (ReferenceEquals(block.Metrics, _metricsOf) || (_columnList.Length > 0 && block.Metrics.SequenceEqual(_metricsOf)))
            return;
        _metricsOf = block.Metrics;
        _metrics = [.. Enumerable.Range(0, block.Metrics.Count).Where(i => columns.Contains(block.Metrics[i]))];
        var list = new StringBuilder("time, gpu");
        foreach (var metric in _metrics)
            list.Append(", \"").Append(block.Metrics[metric]).Append('"');
        _columnList = list.ToString();
    }

    private static int IndexOf(IReadOnlyList<string> names, string name)
    {
        var i = 0;
        while (names[i] != name)
            i++;
        return i;
    }

    private void Refuse(string metric, string reason, long values) =>
        _refused[(metric, reason)] = _refused.GetValueOrDefault((metric, reason)) + values;

    private Statement Prepared(int rows, bool withKey)
    {
        var key = (withKey ? "row_id, " + _columnList : _columnList, rows);
        if (_statements.TryGetValue(key, out var statement))
            return statement;
        if (_statements.Count >= CachedMax)
            ClearStatements();
        var width = FixedColumns + _metrics.Count + (withKey ? 1 : 0);
        var row = "(" + string.Join(',', Enumerable.Repeat('?', width)) + ")";
        var sql = $"INSERT INTO sample ({key.Item1}) VALUES {string.Join(',', Enumerable.Repeat(row, rows))}";
        statement = database.Prepare(sql);
        _statements.Add(key, statement);
        return statement;
    }

    private void ClearStatements()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
    }

    public void Dispose() => ClearStatements();
}
