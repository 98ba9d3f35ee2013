using System.Globalization;
using Telemetry.Storage;

namespace Telemetry.Benchmarks.Store;

/// <summary>Observations of a fleet as the columns that the store writes.</summary>
/// <param name="fleet">The fleet.</param>
/// <param name="rowsMax">How many it holds.</param>
internal sealed class FleetRows(ReportingFleet fleet, int rowsMax)
{
    private readonly long[] _times = new long[rowsMax];
    private readonly int[] _seriesOf = new int[rowsMax];
    private readonly double[][] _values = [.. fleet.Metrics.Select(_ => new double[rowsMax])];

    public ReportingFleet Fleet => fleet;

    public int Count { get; private set; }

    /// <summary>Whether another observation may not fit.</summary>
    public bool IsFull => Count + fleet.Gpus.Count > rowsMax;

    /// <summary>Observes the fleet once more, at this time.</summary>
    public void Observe(DateTimeOffset time)
    {
        fleet.Step();
        var first = Count;
        for (var gpu = 0; gpu < fleet.Gpus.Count; gpu++)
        {
            if (fleet.Reports(gpu))
                _seriesOf[Count++] = gpu;
        }
        _times.AsSpan(first, Count - first).Fill(time.ToUnixTimeMilliseconds());
        for (var metric = 0; metric < _values.Length; metric++)
        {
            var (from, to) = (fleet.Values[metric], _values[metric]);
            for (var row = first; row < Count; row++)
                to[row] = from[_seriesOf[row]];
        }
    }

    /// <summary>Some of the rows; they must not change until they are written.</summary>
    public RowBlock Block(int start, int count) => new()
    {
        Times = _times,
        SeriesOf = _seriesOf,
        Series = fleet.Gpus,
        Metrics = fleet.Metrics,
        Values = [.. _values.Select(column => (ReadOnlyMemory<double>)column)],
        Start = start,
        Count = count,
    };

    /// <summary>Forgets the rows.</summary>
    public void Clear() => Count = 0;

    /// <summary>Writes the rows as CSV: time, host, GPU and the metrics.</summary>
    public void WriteCsv(TextWriter output)
    {
        output.Write("timestamp,host_id,gpu_id," + string.Join(',', fleet.Metrics) + "\n");
        for (var row = 0; row < Count; row++)
        {
            var gpu = fleet.Gpus[_seriesOf[row]];
            output.Write(DateTimeOffset.FromUnixTimeMilliseconds(_times[row]).ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture));
            output.Write(',');
            output.Write(gpu.HostId);
            output.Write(',');
            output.Write(gpu.GpuId);
            foreach (var column in _values)
            {
                output.Write(',');
                output.Write(column[row].ToString(CultureInfo.InvariantCulture));
            }
            output.Write('\n');
        }
    }
}
