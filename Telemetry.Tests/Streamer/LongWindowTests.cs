using System.Text;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Streamer;

public sealed class LongWindowTests
{
    private const int RowsMax = 4;

    private static readonly GpuTable Gpus = new(1);

    private static Series SeriesOf(string host)
    {
        var gpu = Gpus.Find(Encoding.UTF8.GetBytes(host), "0"u8);
        return gpu.Series ?? gpu.Add([], new(host, "0"), "");
    }

    private static LongWindow Window(params long[] times)
    {
        var window = new LongWindow(RowsMax);
        window.Reset(new Place(0, 100, 2));
        for (var i = 0; i < times.Length; i++)
            window.Add(200 + i, new Place(0, 201 + i, 3 + i), times[i], SeriesOf("h"), i, i);
        return window;
    }

    private static List<(long Time, int[] Metrics)> Records(LongWindow window)
    {
        var (records, values) = (new List<(long, int[])>(), new List<(int Metric, double Value)>());
        while (!window.IsTaken)
        {
            var (_, time) = window.Take(values);
            records.Add((time, [.. values.Select(value => value.Metric)]));
        }
        return records;
    }

    [Fact]
    public void It_ends_where_the_time_moves_on_once_it_has_its_rows()
    {
        var window = Window(1, 1, 2);
        Assert.False(window.EndsBefore(300, 9));
        window = Window(1, 1, 2, 2);
        Assert.True(window.EndsBefore(300, 3));
        Assert.False(window.EndsBefore(300, 2));
        Assert.False(window.EndsBefore(300, 1));
    }

    [Fact]
    public void It_ends_at_twice_its_rows_whatever_the_time_does()
    {
        Assert.False(Window(1, 1, 1, 1, 1, 1, 1).EndsBefore(300, 1));
        Assert.True(Window(1, 1, 1, 1, 1, 1, 1, 1).EndsBefore(300, 1));
    }

    [Fact]
    public void It_ends_at_the_decided_end_and_nowhere_else()
    {
        var window = new LongWindow(RowsMax);
        window.Reset(new Place(0, 100, 2), decidedEnd: 250);
        for (var i = 0; i < 3 * RowsMax; i++)
            window.Add(200 + i, new Place(0, 201 + i, 3), i, SeriesOf("h"), 0, 0);
        Assert.False(window.EndsBefore(249, 1000));
        Assert.True(window.EndsBefore(250, 0));
    }

    [Fact]
    public void Its_records_come_in_the_order_in_which_they_first_appear()
    {
        var records = Records(Window(5, 3, 5, 3, 4));
        Assert.Equal([5, 3, 4], records.Select(record => record.Time));
        Assert.Equal([[0, 2], [1, 3], [4]], records.Select(record => record.Metrics));
    }

    [Fact]
    public void A_record_has_a_bounded_number_of_metrics()
    {
        var window = new LongWindow(10_000);
        window.Reset(new Place(0, 0, 1));
        for (var metric = 0; metric < LongWindow.MetricsMax + 1; metric++)
            window.Add(metric, new Place(0, metric, 1), 1, SeriesOf("h"), metric, 0);
        Assert.Equal([LongWindow.MetricsMax, 1], Records(window).Select(record => record.Metrics.Length));
    }

    [Fact]
    public void It_says_where_it_begins_and_ends()
    {
        var window = Window(1, 2);
        Assert.Equal((new Place(0, 100, 2), new Place(0, 202, 4)), (window.Begin, window.End));
        Assert.Equal(200, window.NextOffset);
        Assert.Equal(2, Records(window).Count);
        Assert.Equal(2, window.Taken);
        window.Reset(window.End);
        Assert.True(window.IsEmpty && window.IsTaken);
    }

    [Fact]
    public void A_GPU_that_the_table_has_forgotten_and_made_again_is_the_same()
    {
        var (a, b) = (new GpuTable(4).Find("h"u8, "1"u8), new GpuTable(4).Find("h"u8, "1"u8));
        Assert.NotSame(a, b);
        Assert.Equal(a, b);
        Assert.Equal(a.GetHashCode(), b.GetHashCode());
        Assert.NotEqual(a, new GpuTable(4).Find("h1"u8, ""u8));
    }
}
