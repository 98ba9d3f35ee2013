using System.Text;
using Telemetry.Messaging.Records;
using Telemetry.ServiceDefaults;
using Telemetry.Streamer;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Streamer;

/// <summary>CSV as it is found: well-formed, malformed, and not CSV at all.</summary>
public sealed class CsvFileTests : IDisposable
{
    private const string Row = "2025-07-18T20:42:34Z,host,0,u,1,2\n";

    private readonly TestInput _files = new();

    public void Dispose() => _files.Dispose();

    private string Refusal(StreamerOptions? options = null) =>
        Assert.Throws<StartupException>(() => Input.Open(options ?? _files.Options)).Message;

    [Fact]
    public void F28_A_byte_order_mark_CRLF_blank_lines_and_a_missing_last_line_break_do_not_matter()
    {
        var text = "\ufeff" + (TestInput.WideHeader + "\n" + Row + "\n\n" + Row.Replace(",0,", ",1,", StringComparison.Ordinal)).Replace("\n", "\r\n", StringComparison.Ordinal).TrimEnd();
        var result = _files.ReadAll(text);
        Assert.Equal(["0", "1"], result.Samples.Select(sample => sample.Identity.GpuId).Order());
        Assert.Equal(0, result.BadRows);
    }

    [Theory]
    [InlineData(";")]
    [InlineData("\t")]
    [InlineData("|")]
    public void The_separator_is_that_of_the_header(string separator)
    {
        var result = _files.ReadAll((TestInput.WideHeader + Row).Replace(",", separator, StringComparison.Ordinal));
        Assert.Equal(2, result.Values.Count);
    }

    [Fact]
    public void F28_Quotes_within_quotes_separators_and_line_breaks_within_quotes_are_part_of_a_field()
    {
        var result = _files.ReadAll(TestInput.WideHeader + "\"2025-07-18T20:42:34Z\",\"ho\"\"st\",0,\"a,b\nc\",1,2\n" + Row);
        Assert.Equal(["ho\"st", "host"], result.Samples.Select(sample => sample.Identity.HostId).Order());
        Assert.Contains(result.Samples, sample => sample.Identity.Uuid == "a,b c");
        Assert.Equal(0, result.BadRows);
    }

    [Theory]
    [InlineData("2025-07-18T20:42:34Z,host,0,u,1\n", "missing_columns")]
    [InlineData("2025-07-18T20:42:34Z,host,0,u,1,2,3\n", "extra_columns")]
    [InlineData("2025-07-18T20:42:34Z,,0,u,1,2\n", "no_host")]
    [InlineData("2025-07-18T20:42:34Z,N/A,0,u,1,2\n", "no_host")]
    [InlineData("2025-07-18T20:42:34Z,host, ,u,1,2\n", "no_gpu")]
    [InlineData("yesterday,host,0,u,1,2\n", "bad_timestamp")]
    [InlineData(",host,0,u,1,2\n", "bad_timestamp")]
    [InlineData("2025-07-18T20:42:34Z,host,0,u,,\n", "no_values")]
    [InlineData("2025-07-18T20:42:34Z,ho\0st,0,u,1,2\n", "invalid_text")]
    [InlineData("\0\0\0\n", "missing_columns")]
    [InlineData("2025-07-18T20:42:34Z,\"host,0,u,1,2\n", "malformed_quotes")]
    [InlineData("\"2025-07-18T20:42:34Z\"x,host,0,u,1,2\n", "malformed_quotes")]
    public void F28_A_bad_row_is_counted_with_its_line_number_and_skipped(string bad, string reason)
    {
        var result = _files.ReadAll(TestInput.WideHeader + Row + "\n" + bad + Row.Replace(",0,", ",1,", StringComparison.Ordinal));
        Assert.Equal(2, result.Samples.Count);
        Assert.Equal(1, result.BadRows);
        Assert.Equal(3, result.Rows);
        Assert.Equal($"telemetry.csv line 4: row skipped: {reason}", Assert.Single(result.Complaints));
    }

    [Fact]
    public void Fields_beyond_the_header_do_not_matter_when_they_are_empty() =>
        Assert.Equal(2, _files.ReadAll(TestInput.WideHeader + "2025-07-18T20:42:34Z,host,0,u,1,2,,\n").Values.Count);

    [Fact]
    public void A_label_that_is_not_UTF_8_or_too_long_makes_a_bad_row()
    {
        byte[] invalid = [.. Encoding.UTF8.GetBytes(TestInput.WideHeader + "2025-07-18T20:42:34Z,h\u00f6st,0,u"), 0xff, .. ",1,2\n"u8];
        _files.Write(invalid);
        Assert.Contains("invalid_text", Assert.Single(TestInput.ReadAll(_files.Options).Complaints), StringComparison.Ordinal);
        var label = new string('x', RecordBatchLimits.TextBytesMax + 1);
        var result = _files.ReadAll(TestInput.WideHeader + $"2025-07-18T20:42:34Z,host,0,{label},1,2\n" + Row);
        Assert.Contains("text_too_long", Assert.Single(result.Complaints), StringComparison.Ordinal);
        Assert.Single(result.Samples);
    }

    [Theory]
    [InlineData(10 * 1024 * 1024, true)]
    [InlineData(10 * 1024 * 1024, false)]
    [InlineData(CsvRowReader.RowBytesMax, true)]
    [InlineData(CsvRowReader.RowBytesMax, false)]
    public void F28_A_huge_line_is_counted_with_its_line_number_and_skipped(int bytes, bool quoted)
    {
        var quote = quoted ? "\"" : "";
        var huge = $"2025-07-18T20:42:34Z,{quote}{new string('x', bytes)}{quote},0,u,1,2\n";
        _files.Write(TestInput.WideHeader + Row + "\r\n\n" + huge + Row + huge + Row);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = TestInput.ReadAll(_files.Options);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(3, result.Samples.Count);
        Assert.Equal(2, result.BadRows);
        Assert.Equal(["telemetry.csv line 5: row skipped: row_too_large", "telemetry.csv line 7: row skipped: row_too_large"], result.Complaints);
        Assert.True(allocated < 12 * CsvRowReader.RowBytesMax, $"{allocated} bytes were allocated");
    }

    [Fact]
    public void F28_A_row_of_nearly_the_largest_size_is_read() =>
        Assert.Equal(2, _files.ReadAll(
            "labels_raw," + TestInput.WideHeader + new string('x', CsvRowReader.RowBytesMax - 100) + "," + Row).Values.Count);

    [Fact]
    public void F28_An_open_quote_takes_no_other_row_with_it()
    {
        var rows = string.Concat(Enumerable.Range(0, 3000).Select(i => $"2025-07-18T20:42:34Z,host{i},0,u,1,2\n"));
        var result = _files.ReadAll(TestInput.WideHeader + rows + "2025-07-18T20:42:34Z,\"open,0,u,1,2\n" + rows.Replace("host", "h", StringComparison.Ordinal));
        Assert.Equal(6000, result.Samples.Count);
        Assert.Equal("telemetry.csv line 3002: row skipped: malformed_quotes", Assert.Single(result.Complaints));
    }

    [Fact]
    public void F28_A_quote_within_a_field_is_text_and_hides_no_open_quote_behind_it()
    {
        var quoted = Row.Replace("2025-07-18T20:42:34Z", "\"2025-07-18T20:42:34Z\"", StringComparison.Ordinal);
        var result = _files.ReadAll(TestInput.WideHeader + "2025-07-18T20:42:34Z,5\"disk,0,u,1,2\n" + "2025-07-18T20:42:34Z,a\"b,\"0,u,1,2\n" + quoted);
        Assert.Equal(["5\"disk", "host"], result.Samples.Select(sample => sample.Identity.HostId).Order(StringComparer.Ordinal));
        Assert.Equal("telemetry.csv line 3: row skipped: malformed_quotes", Assert.Single(result.Complaints));
    }

    [Fact]
    public void F28_Bad_rows_are_logged_one_by_one_at_first_and_then_summed_up()
    {
        var result = _files.ReadAll(TestInput.WideHeader + string.Concat(Enumerable.Repeat("x\n", 25)) + Row);
        Assert.Equal(25, result.BadRows);
        Assert.Equal(BadRows.LoggedMax, result.Complaints.Count);
    }

    [Fact]
    public void A_summary_of_bad_rows_names_the_reasons()
    {
        using var metrics = new StreamerMetrics();
        var (log, time) = (new TestLog(), new Microsoft.Extensions.Time.Testing.FakeTimeProvider());
        var badRows = new BadRows(log, metrics, time);
        for (var i = 0; i < BadRows.LoggedMax + 5; i++)
            badRows.Row(RowReasons.NoHost, "f", i);
        badRows.Value(RowReasons.BadNumber, "f", 1, "power_w");
        Assert.Equal(BadRows.LoggedMax, log.Events.Count);
        time.Advance(TimeSpan.FromMinutes(1));
        badRows.Row(RowReasons.NoHost, "f", 99);
        Assert.Equal("7 more bad rows and values: bad_number 1, no_host 6", log.Events[^1].Text);
        badRows.LogSummary();
        Assert.Equal(BadRows.LoggedMax + 1, log.Events.Count);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.StartsWith($"CSV_FILE: there is no file '{_files.File}'", Refusal(), StringComparison.Ordinal);

    [Theory]
    [InlineData("", "is empty; it needs a header and rows")]
    [InlineData("timestamp,host,gpu,power_w", "has a header and no rows")]
    [InlineData("timestamp,host,gpu,power_w\n", "has a header and no rows")]
    [InlineData("\n\n\n", "has a header and no rows")]
    [InlineData("a,b,c\n1,2,3\n", "no column for a host (Hostname, host, host_id, node) and none for a GPU index (gpu, gpu_id, index) and none for a time (timestamp, time, datetime; or use TIMESTAMP_MODE=now); its columns are: a, b, c")]
    [InlineData("timestamp,host,power_w\n1,2,3\n", "no column for a GPU index (gpu, gpu_id, index); its columns are: timestamp, host, power_w")]
    [InlineData("host,gpu,power_w\n1,2,3\n", "no column for a time (timestamp, time, datetime; or use TIMESTAMP_MODE=now); its columns are")]
    [InlineData("timestamp,host,gpu\n1,2,3\n", "no column for metrics (numeric columns, or metric_name and value)")]
    [InlineData("timestamp,host,gpu,note\n1,2,3,text\n", "no column for metrics")]
    public void A_file_that_cannot_be_streamed_is_refused_with_what_it_needs(string text, string expected)
    {
        _files.Write(text);
        Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Under_the_mode_now_no_time_is_needed()
    {
        _files.Write("host,gpu,power_w\nh,0,3\n");
        var result = TestInput.ReadAll(_files.Options with { TimestampMode = TimestampMode.Now });
        Assert.InRange(result.Samples[0].TimeUnixMs, DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds());
    }

    [Fact]
    public void UTF_16_and_files_without_lines_are_refused()
    {
        _files.Write(Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(TestInput.WideHeader + Row)).ToArray());
        Assert.Contains("is UTF-16; convert it to UTF-8", Refusal(), StringComparison.Ordinal);
        _files.Write(new byte[2 * 1024 * 1024]);
        Assert.Contains("has no line break in its first 1048576 bytes", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_means_its_CSV_files_in_ordinal_order_and_a_glob_those_that_match()
    {
        foreach (var name in new[] { "b.csv", "a.csv", "B.csv", "c.txt" })
            _files.Write(TestInput.WideHeader + Row, name);
        Assert.Equal(["B.csv", "a.csv", "b.csv"], Input.Find(_files.Folder).Select(Path.GetFileName));
        Assert.Equal(["a.csv", "b.csv"], Input.Find(Path.Combine(_files.Folder, "[ab]*.csv".Replace("[ab]", "?", StringComparison.Ordinal))).Select(Path.GetFileName).Where(name => name != "B.csv"));
        Assert.Equal(["c.txt"], Input.Find(Path.Combine(_files.Folder, "c.*")).Select(Path.GetFileName));
        Assert.Equal(3, TestInput.ReadAll(_files.Options with { CsvFile = _files.Folder }).Samples.Count);
    }

    [Fact]
    public void A_directory_or_glob_without_files_is_refused()
    {
        Assert.Contains("there is no *.csv in the directory", Refusal(_files.Options with { CsvFile = _files.Folder }), StringComparison.Ordinal);
        var glob = Path.Combine(_files.Folder, "*.csv");
        Assert.Equal($"CSV_FILE: no file matches '{glob}'", Refusal(_files.Options with { CsvFile = glob }));
    }

    [Fact]
    public void Only_one_file_can_be_followed()
    {
        _files.Write(TestInput.WideHeader + Row, "a.csv");
        _files.Write(TestInput.WideHeader + Row, "b.csv");
        Assert.StartsWith("FOLLOW=true follows one file", Refusal(_files.Options with { CsvFile = _files.Folder, Follow = true }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_followed_file_is_waited_for_until_it_has_a_whole_row()
    {
        var options = _files.Options with { Follow = true };
        foreach (var text in new[] { "", TestInput.WideHeader, TestInput.WideHeader + Row.TrimEnd() })
        {
            _files.Write(text);
            Assert.Null(Input.Open(options));
        }
        _files.Append("\n");
        Assert.NotNull(Input.Open(options));
    }

    [Fact]
    public void The_identity_of_a_file_stays_while_it_grows_and_is_another_when_it_is_replaced()
    {
        long Identity() => Input.Open(_files.Options)!.Files[0].Identity;
        _files.Write(TestInput.WideHeader + Row);
        var first = Identity();
        _files.Append(Row);
        Assert.Equal(first, Identity());
        _files.Write(TestInput.WideHeader + "2025-07-18T20:42:35Z,host,0,u,1,2\n");
        Assert.NotEqual(first, Identity());
        _files.Write(TestInput.WideHeader.Replace("UUID", "uuid", StringComparison.Ordinal) + Row);
        Assert.NotEqual(first, Identity());
    }
}
