using System.Text;
using CsCheck;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Streamer;

/// <summary>Formats, names and values: what columns and cells mean.</summary>
public sealed class FormatTests : IDisposable
{
    private readonly TestInput _files = new();

    public void Dispose() => _files.Dispose();

    private static CellKind Read(string cell, out double value, string unit = "") =>
        MetricCell.Read(Encoding.UTF8.GetBytes(cell), Encoding.UTF8.GetBytes(unit), out value);

    [Theory]
    [InlineData("Hostname", "gpu", "UUID", "modelName")]
    [InlineData("hostname", "gpu_id", "uuid", "model")]
    [InlineData("host", "index", "uuid", "name")]
    [InlineData("host_id", "GPU", "gpu_uuid", "gpu_name")]
    [InlineData("node", "gpu", "UUID", "modelName")]
    public void Identity_columns_have_aliases(string host, string gpu, string uuid, string model)
    {
        var result = _files.ReadAll($"timestamp,{host},{gpu},{uuid},{model},device,pod,namespace,container,power_w\n2025-07-18T20:42:34Z,a,1,b,c,d,e,f,g,7\n");
        var id = Assert.Single(result.Samples).Identity;
        Assert.Equal(("a", "1", "b", "c", "d", "e", "f", "g"), (id.HostId, id.GpuId, id.Uuid, id.Model, id.Device, id.Pod, id.Namespace, id.Container));
        Assert.Equal(1752871354000, result.Samples[0].TimeUnixMs);
        Assert.Equal(7, result.Values["power_w"]);
    }

    [Fact]
    public void Optional_labels_that_say_that_they_are_not_there_are_empty()
    {
        var id = Assert.Single(_files.ReadAll("timestamp,host,gpu,uuid,model,pod,power_w\n2025-07-18T20:42:34Z,a,1,[N/A],N/A,,7\n").Samples).Identity;
        Assert.Equal(("", "", ""), (id.Uuid, id.Model, id.Pod));
    }

    [Fact]
    public void In_a_long_file_the_rows_of_one_time_and_GPU_are_one_record()
    {
        var result = _files.ReadAll(TestInput.LongHeader
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_GPU_UTIL", "a", "0", "50")
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_GPU_UTIL", "a", "1", "60")
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_POWER_USAGE", "a", "0", "99.5")
            + TestInput.LongRow("2025-07-18T20:42:35Z", "DCGM_FI_DEV_GPU_TEMP", "a", "0", "40"));
        Assert.Equal(
            [
                "1752871354000 a/0 GPU-a-0 H100 nvidia0   : gpu_utilization=50 power_w=99.5",
                "1752871354000 a/1 GPU-a-1 H100 nvidia1   : gpu_utilization=60",
                "1752871355000 a/0 GPU-a-0 H100 nvidia0   : temperature_c=40",
            ],
            result.Samples.Select(TestInput.Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_metric_that_repeats_in_a_record_begins_another_so_that_no_value_is_lost()
    {
        var result = _files.ReadAll(TestInput.LongHeader
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_GPU_UTIL", "a", "0", "50")
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_GPU_UTIL", "a", "0", "51")
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_GPU_TEMP", "a", "0", "40"));
        Assert.Equal([["gpu_utilization"], ["gpu_utilization", "temperature_c"]], result.Samples.Select(sample => sample.Values.Select(value => value.Name)));
    }

    [Fact]
    public void A_long_row_without_a_usable_name_or_value_is_counted()
    {
        var result = _files.ReadAll(TestInput.LongHeader
            + TestInput.LongRow("2025-07-18T20:42:34Z", "", "a", "0", "50")
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_GPU_UTIL", "a", "0", "101")
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_GPU_UTIL", "a", "0", "")
            + TestInput.LongRow("2025-07-18T20:42:34Z", "DCGM_FI_DEV_GPU_TEMP", "a", "0", "40"));
        Assert.Equal(["temperature_c"], result.Values.Keys);
        Assert.Equal(["telemetry.csv line 2: row skipped: bad_metric_name", "telemetry.csv line 3: gpu_utilization left out: out_of_range"], result.Complaints);
    }

    [Fact]
    public void The_output_of_nvidia_smi_with_a_host_is_understood()
    {
        var result = _files.ReadAll(
            "host, timestamp, index, name, uuid, utilization.gpu [%], memory.used [MiB], temperature.gpu, power.draw [W], clocks.sm [MHz], fan.speed [%], clocks_event_reasons.active, enforced.power.limit [W], pstate\n"
            + "n1, 2024/01/31 12:34:56.789, 3, NVIDIA A100, GPU-1, 45 %, 1024 MiB, 61, 70.25 W, 1410 MHz, [N/A], 0x0000000000000044, 300.00 W, P0\n");
        var sample = Assert.Single(result.Samples);
        Assert.Equal(("n1", "3", "NVIDIA A100", 1706704496789), (sample.Identity.HostId, sample.Identity.GpuId, sample.Identity.Model, sample.TimeUnixMs));
        Assert.Equal(
            "clock_event_reasons=68 enforced_power_limit_w=300 gpu_utilization=45 memory_used_mb=1024 power_w=70.25 sm_clock_mhz=1410 temperature_c=61",
            TestInput.Text(sample).Split(": ")[1]);
        Assert.Equal(0, result.BadValues);
    }

    [Fact]
    public void A_column_of_texts_is_a_label_and_a_text_among_numbers_is_a_bad_value()
    {
        var result = _files.ReadAll(
            "timestamp,host,gpu,power_w,rack,score,empty,later\n"
            + "2025-07-18T20:42:34Z,a,0,oops,r1,1,,\n"
            + "2025-07-18T20:42:35Z,a,0,7,r2,two,,5\n");
        Assert.Equal(
            ["1752871354000 a/0      : score=1", "1752871355000 a/0      : later=5 power_w=7"],
            result.Samples.Select(TestInput.Text));
        Assert.Equal(["telemetry.csv line 2: power_w left out: bad_number", "telemetry.csv line 3: score left out: bad_number"], result.Complaints);
    }

    [Fact]
    public void Of_two_columns_with_one_metric_the_first_is_used_and_the_other_named()
    {
        var result = _files.ReadAll("timestamp,host,gpu,DCGM_FI_DEV_GPU_UTIL,gpu_utilization\n2025-07-18T20:42:34Z,a,0,1,2\n");
        Assert.Equal(1, result.Values["gpu_utilization"]);
        Assert.Contains("gpu_utilization", Assert.Single(result.Log.Events, e => e.Id.Id == 2027).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DCGM_FI_DEV_GPU_UTIL", "gpu_utilization")]
    [InlineData("dcgm_fi_dev_gpu_util", "gpu_utilization")]
    [InlineData("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "clock_event_reasons")]
    [InlineData("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gr_engine_active")]
    [InlineData("DCGM_FI_DEV_VGPU_LICENSE_STATUS", "vgpu_license_status")]
    [InlineData("DCGM_FI_PROF_NVLINK_TX_BYTES", "prof_nvlink_tx_bytes")]
    [InlineData("gpuTemp (max)", "gpu_temp_max")]
    [InlineData("HTTPErrors2xx", "http_errors2xx")]
    [InlineData("9lives", "_9lives")]
    [InlineData("utilization.gpu [%]", "gpu_utilization")]
    [InlineData("memory.total [MiB]", "memory_total_mb")]
    [InlineData("timestamp", "timestamp_value")]
    [InlineData("Host ID", "host_id_value")]
    [InlineData("a--b", "a_b")]
    public void Names_become_column_names(string source, string column) => Assert.Equal(column, MetricNames.Resolve(source)!.Name);

    [Theory]
    [InlineData("")]
    [InlineData("[%]")]
    [InlineData("温度")]
    public void A_name_without_letters_and_digits_is_none(string source) => Assert.Null(MetricNames.Resolve(source));

    [Fact]
    public void Every_name_is_of_the_form_that_the_store_takes() =>
        Gen.String[0, 100].Sample(source =>
        {
            if (MetricNames.Resolve(source) is { } metric)
                Assert.Matches("^[a-z_][a-z0-9_]{0,63}$", metric.Name);
        });

    [Fact]
    public void Two_long_names_that_begin_alike_stay_two()
    {
        var (a, b) = (MetricNames.Resolve(new string('a', 80) + "x")!, MetricNames.Resolve(new string('a', 80) + "y")!);
        Assert.Equal(64, a.Name.Length);
        Assert.NotEqual(a.Name, b.Name);
    }

    [Theory]
    [InlineData("gpu_utilization", "-0.1,100.1,1000,4294967295", "0,100")]
    [InlineData("temperature_c", "-51,201", "-50,200")]
    [InlineData("power_w", "-1,5000.5", "0,5000")]
    [InlineData("DCGM_FI_PROF_SM_ACTIVE", "-0.01,1.01", "0,1")]
    [InlineData("DCGM_FI_DEV_FB_USED", "-1", "0,81920")]
    public void Values_outside_the_valid_range_are_left_out_and_counted_and_the_rest_of_the_row_kept(string column, string outside, string inside)
    {
        foreach (var cell in outside.Split(','))
        {
            var result = _files.ReadAll($"timestamp,host,gpu,{column},other\n2025-07-18T20:42:34Z,a,0,{cell},1\n");
            Assert.Equal(["other"], result.Values.Keys);
            Assert.Contains("out_of_range", Assert.Single(result.Complaints), StringComparison.Ordinal);
            Assert.Equal((0, 1), (result.BadRows, result.BadValues));
        }
        foreach (var cell in inside.Split(','))
            Assert.Equal(2, _files.ReadAll($"timestamp,host,gpu,{column},other\n2025-07-18T20:42:34Z,a,0,{cell},1\n").Values.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("N/A")]
    [InlineData("n/a")]
    [InlineData("[N/A]")]
    [InlineData("[Not Supported]")]
    [InlineData("[Unknown Error]")]
    [InlineData("<<<NULL>>>")]
    [InlineData("<<<NOT_FOUND>>>")]
    [InlineData("<<<NOT_SUPPORTED>>>")]
    [InlineData("NaN")]
    [InlineData("null")]
    [InlineData("2147483632")]
    [InlineData("2147483635")]
    [InlineData("9223372036854775792")]
    [InlineData("9223372036854775795")]
    [InlineData("9223372036854775808")]
    [InlineData("9.223372036854776e18")]
    [InlineData("140737488355328")]
    [InlineData("140737488355328.0")]
    [InlineData("140737488355331.000")]
    public void What_was_not_measured_is_absent(string cell) => Assert.Equal(CellKind.Absent, Read(cell, out _));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("-0.5", -0.5)]
    [InlineData("  42 ", 42)]
    [InlineData("2147483631", 2147483631)]
    [InlineData("2147483636", 2147483636)]
    [InlineData("140737488355332", 140737488355332)]
    [InlineData("1e3", 1000)]
    [InlineData("+7", 7)]
    [InlineData(".5", 0.5)]
    [InlineData("5.", 5)]
    [InlineData("0.1", 0.1)]
    [InlineData("123456789012345678", 123456789012345678)]
    [InlineData("0xff", 255)]
    public void Numbers_are_read(string cell, double expected)
    {
        Assert.Equal(CellKind.Number, Read(cell, out var value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("abc", CellKind.Text)]
    [InlineData("1,5", CellKind.Text)]
    [InlineData("1.2.3", CellKind.Text)]
    [InlineData("-", CellKind.Text)]
    [InlineData(".", CellKind.Text)]
    [InlineData("12 W", CellKind.Text)]
    [InlineData("0x", CellKind.Text)]
    [InlineData("1\0", CellKind.Text)]
    [InlineData("Infinity", CellKind.NotFinite)]
    [InlineData("-inf", CellKind.NotFinite)]
    [InlineData("1e999", CellKind.NotFinite)]
    internal void Other_cells_are_told_apart(string cell, CellKind kind) => Assert.Equal(kind, Read(cell, out _));

    [Fact]
    public void A_unit_may_stand_after_the_number_where_the_header_has_it()
    {
        Assert.Equal(CellKind.Number, Read("12.5 W", out var value, "W"));
        Assert.Equal(12.5, value);
        Assert.Equal(CellKind.Text, Read("W", out _, "W"));
    }

    [Fact]
    public void A_cell_is_the_double_that_its_text_means() =>
        Gen.Select(Gen.Int[-999_999_999, 999_999_999], Gen.Int[0, 8], Gen.Int[0, 999_999]).Sample((whole, places, rest) =>
        {
            var cell = places == 0 ? $"{whole}" : $"{whole}.{rest.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(places, '0')}";
            if (Read(cell, out var value) == CellKind.Number)
                Assert.Equal(double.Parse(cell, System.Globalization.CultureInfo.InvariantCulture), value);
        });

    [Theory]
    [InlineData("2025-07-18T20:42:34Z", 1752871354000)]
    [InlineData("2025-07-18t20:42:34.5z", 1752871354500)]
    [InlineData("2025-07-18T22:42:34+02:00", 1752871354000)]
    [InlineData("2025-07-18T15:12:34.123456789-0530", 1752871354123)]
    [InlineData("2025-07-18 20:42:34", 1752871354000)]
    [InlineData("2025-07-18 20:42:34.789", 1752871354789)]
    [InlineData("2025/07/18 20:42:34.789", 1752871354789)]
    [InlineData("1752871354", 1752871354000)]
    [InlineData("1752871354.25", 1752871354250)]
    [InlineData("1752871354789", 1752871354789)]
    [InlineData("2016-12-31T23:59:60Z", 1483228800000)]
    [InlineData("2024-02-29 00:00:00", 1709164800000)]
    [InlineData("0", 0)]
    public void Times_are_read(string text, long unixMs)
    {
        Assert.True(SourceTime.TryParse(Encoding.UTF8.GetBytes(text), out var read));
        Assert.Equal(unixMs, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("2025-07-18")]
    [InlineData("2025-02-29T00:00:00Z")]
    [InlineData("2025-13-01T00:00:00Z")]
    [InlineData("2025-07-18T24:00:00Z")]
    [InlineData("2025-07-18T20:42:34X")]
    [InlineData("2025-07-18T20:42:34.Z")]
    [InlineData("2025-07-18T20:42:34+25:00")]
    [InlineData("2025-07/18 20:42:34")]
    [InlineData("-5")]
    [InlineData("99999999999999999")]
    [InlineData("9999-12-31T23:59:59Z")]
    public void Other_times_are_refused(string text) => Assert.False(SourceTime.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void Any_time_is_read_as_the_framework_reads_it() =>
        Gen.Select(Gen.DateTime[new DateTime(1971, 1, 1), new DateTime(2199, 12, 31)], Gen.Int[-14 * 60, 14 * 60]).Sample((utc, minutes) =>
        {
            var time = new DateTimeOffset(utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerMillisecond)), TimeSpan.Zero).ToOffset(TimeSpan.FromMinutes(minutes));
            Assert.True(SourceTime.TryParse(Encoding.UTF8.GetBytes(time.ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", System.Globalization.CultureInfo.InvariantCulture)), out var read));
            Assert.Equal(time.ToUnixTimeMilliseconds(), read);
        });

    [Fact]
    public void The_real_DCGM_file_becomes_one_record_a_time_and_GPU()
    {
        var folder = Environment.GetEnvironmentVariable("TELEMETRY_TEST_DATA");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "TELEMETRY_TEST_DATA is not set");
        var file = Directory.EnumerateFiles(folder!, "dcgm_metrics_*.csv").Order(StringComparer.Ordinal).First();
        var result = TestInput.ReadAll(_files.Options with { CsvFile = file });
        Assert.Equal((2470, 0, 0), (result.Rows, result.BadRows, result.BadValues));
        Assert.Equal(247 * 4, result.Samples.Count);
        Assert.Equal(2470, result.Samples.Sum(sample => sample.Values.Count));
        Assert.Equal(247, result.Samples.Select(sample => sample.Identity).Distinct().Count());
        Assert.Equal(
            "decoder_utilization encoder_utilization gpu_utilization memory_clock_mhz memory_free_mb memory_used_mb memory_utilization power_w sm_clock_mhz temperature_c",
            string.Join(' ', result.Samples.SelectMany(sample => sample.Values).Select(value => value.Name).Distinct().Order(StringComparer.Ordinal)));
    }
}
