using Microsoft.Extensions.Time.Testing;
using Telemetry.Gateway.Commands.Doctor;
using Telemetry.Storage;
using Telemetry.Storage.Verifying;

namespace Telemetry.Tests.Gateway.Commands;

/// <summary>What <c>doctor</c> says of a store and the records in it.</summary>
public sealed class StoreDoctorTests : DoctorFixture
{
    [Fact]
    public async Task Deep_reads_and_recounts_the_store()
    {
        Write(60);
        Assert.Contains("60 plain rows", (await RunAsync("--deep")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("60 plain rows", (await RunAsync()).Text, StringComparison.Ordinal);
        Damage("UPDATE latest SET time = time - 1");
        var deep = await RunAsync("--deep");
        Assert.Equal((1, ""), (deep.Code, deep.Error));
        Assert.Matches("\nFAIL  store: rows, zone map and latest: 2 wrong, the first: .*\n      → restore a backup", deep.Out);
        Assert.EndsWith("\n1 thing fails and there is 1 warning\n", deep.Out, StringComparison.Ordinal); // no queue
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_a_warning_and_one_that_is_none_fails()
    {
        Assert.Contains($"warn  store: {Store.Path} is not there, so that all answers are empty\n      → start a collector", (await RunAsync()).Text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Store.Path, "", Cancelled); // as a collector begins it
        Assert.Contains($"warn  store: {Store.Path} has no tables yet, so that all answers are empty\n      → start a collector", (await RunAsync("--deep")).Text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Store.Path, new string('x', 20_000), Cancelled);
        var none = await RunAsync();
        Assert.Equal(1, none.Code);
        Assert.Contains("FAIL  store: database", none.Out, StringComparison.Ordinal);
        Assert.Contains("it is not an SQLite database", none.Out, StringComparison.Ordinal);
        Assert.Contains("      → stop the collectors and put a backup in its place", none.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PRAGMA user_version = 99", "its schema has version 99 and this program knows versions up to")]
    [InlineData("PRAGMA application_id = 7", "belongs to another program")]
    [InlineData("UPDATE checkpoint SET next_offset = -2", "offsets: 1 wrong, the first: checkpoint telemetry/0")]
    [InlineData("UPDATE latest SET gpu = 999; DELETE FROM gpu", null)]
    public async Task A_store_that_is_not_right_fails(string damage, string? expected)
    {
        Write(3);
        Damage(damage);
        var run = await RunAsync("--deep");
        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains(expected ?? "FAIL", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_on_a_network_file_system_fails()
    {
        Write(1);
        var place = QuickLook.Run(Store.Path, _ => "nfs4").First();
        Assert.Equal(("place", "a network file system", 1L), (place.Subject, place.Counts, place.FindingCount));
        Assert.EndsWith("(nfs4), where SQLite loses data: move it to a local disk", place.Findings[0], StringComparison.Ordinal);
        var found = StoreCheck.Of(place);
        Assert.Equal((Outcome.Fail, "stop the collectors, move the database to a disk of this machine, and set DATABASE_PATH of collectors and gateways to it"), (found.Outcome, found.Advice));
    }

    [Fact]
    public async Task Records_that_are_old_from_the_future_or_missing_are_warnings()
    {
        Store.Open();
        Assert.Contains("warn  records: the store has none\n", (await RunAsync()).Text, StringComparison.Ordinal);
        Store.Write(Record(-3600 * 30));
        Assert.Contains("warn  records: the newest is 30h old; 0 of 1 GPUs have reported in the last 1m\n", (await RunAsync()).Text, StringComparison.Ordinal);
        Store.Write([.. Enumerable.Range(0, 50).Select(i => Record(-1000 + i)), Record(-1), Record(500)]);
        var text = (await RunAsync()).Text;
        Assert.Matches("warn  completeness: \\d\\d?\\.\\d % of the records expected in the last hour have arrived\n", text);
        Assert.Matches("warn  clock: the newest record is \\d{3}(\\.\\d)? s in the future\n", text);
    }

    [Fact]
    public async Task Gaps_and_dead_letters_are_warnings()
    {
        var id = Store.TopicId;
        Store.Write([], 8, [new DeadLetter(id, 1, 0, 4, "undecodable", "it is none", default)], [new LogGap(id, 1, 5, 8, "expired")]);
        var text = (await RunAsync()).Text;
        Assert.Matches("warn  gaps: 1 of records that never came, the newest noted at \\S+Z \\(expired\\)\n      → ", text);
        Assert.Matches("warn  dead letters: 4 records could not be stored: undecodable \\(4\\), the newest at \\S+Z\n      → ", text);
    }

    [Fact]
    public async Task One_thing_that_is_wrong_does_not_keep_the_others_from_being_looked_at()
    {
        Write(3);
        Damage("UPDATE checkpoint SET next_offset = -2");
        var run = await RunAsync("--deep");
        Assert.Contains("FAIL  store: offsets: 1 wrong", run.Out, StringComparison.Ordinal);
        Assert.Contains("      → records may be missing or doubled from there on", run.Out, StringComparison.Ordinal);
        foreach (var check in new[] { "records", "gaps", "dead letters", "history", "clock" })
            Assert.Contains($"\nok    {check}: ", run.Out, StringComparison.Ordinal);
        Assert.Contains("\nok    store: rows, zone map and latest: ", run.Out, StringComparison.Ordinal);
        Assert.EndsWith("\n1 thing fails and there is 1 warning\n", run.Out, StringComparison.Ordinal); // once, although deep finds it too
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_on_ends_what_reads_it_and_the_rest_is_looked_at()
    {
        Write(3);
        Damage("UPDATE latest SET gpu = 999; DELETE FROM gpu");
        var run = await RunAsync("--deep", "--messagequeue-addr", "127.0.0.1:1");
        Assert.Contains("FAIL  records: ", run.Out, StringComparison.Ordinal);
        Assert.Contains("FAIL  queue: ", run.Out, StringComparison.Ordinal);
        Assert.Contains("FAIL  store: rows, zone map and latest: ", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deep_that_was_left_out_says_why()
    {
        Assert.Contains("warn  store: --deep was left out: there is no store that can be read\n      → ", (await RunAsync("--deep")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("--deep", (await RunAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_gives_its_results_as_they_come()
    {
        Write(3);
        using var results = StoreCheck.Deep(Store.Path, Cancelled).GetEnumerator();
        Assert.True(results.MoveNext());
        Damage("UPDATE latest SET time = time - 1");
        var outcomes = new List<Outcome> { results.Current.Outcome };
        while (results.MoveNext())
            outcomes.Add(results.Current.Outcome);
        Assert.Equal(Outcome.Ok, outcomes[0]);
        Assert.Contains(Outcome.Fail, outcomes);
    }

    [Fact]
    public async Task A_host_of_which_nothing_comes_is_a_warning_although_others_report()
    {
        Store.Write([.. Enumerable.Range(0, 98).Select(i => Record(-1, "node-a", $"{i}")), Record(-300, "node-b"), Record(300, "node-c")]);
        Assert.Matches(
            "warn  records: .*; 98 of 100 GPUs have reported in the last 1m, and none of node-b, node-c\n      → see whether these hosts are up",
            (await RunAsync()).Text);
    }

    [Theory]
    [InlineData(5, "ok    records: the newest is .* old; 95 of 100 GPUs have reported in the last 1m\n")]
    [InlineData(6, "warn  records: the newest is .* old; 94 of 100 GPUs have reported in the last 1m; the others are of node-0, node-45, node-46, node-47, node-48 and 1 more\n      → look for these GPUs")]
    public async Task More_than_a_twentieth_that_is_lost_is_a_warning(int lost, string expected)
    {
        Store.Write([.. Enumerable.Range(1, 100).Select(i => Record(-300, $"node-{i % 50}", $"{i / 50}")), .. Enumerable.Range(1, 100 - lost).Select(i => Record(-1, $"node-{i % 50}", $"{i / 50}"))]);
        Assert.Matches(expected, (await RunAsync()).Text);
    }

    [Theory]
    [InlineData(300)]
    [InlineData(-300)]
    public async Task A_record_from_another_time_does_not_say_that_its_GPU_reports(int second)
    {
        Store.Write(Record(second));
        Assert.Contains("; 0 of 1 GPUs have reported in the last 1m\n", (await RunAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gaps_and_dead_letters_of_more_than_a_day_ago_are_no_warnings()
    {
        Time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(-2));
        Store.Write([], 8, [new DeadLetter(Store.TopicId, 1, 0, 4, "undecodable", "it is none", default)], [new LogGap(Store.TopicId, 1, 5, 8, "expired")]);
        var text = (await RunAsync()).Text;
        Assert.Matches("ok    gaps: 1 of records that never came, the newest noted at \\S+Z \\(expired\\), none in the last 24h\n", text);
        Assert.Matches("ok    dead letters: 4 records could not be stored: undecodable \\(4\\), the newest at \\S+Z, none in the last 24h\n", text);
    }

    [Fact]
    public async Task Rows_that_nobody_folds_are_a_warning()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddHours(-1));
        Time = time;
        Write(50);
        Store.Open().Fold(TimeSpan.Zero);
        Assert.Contains("ok    history: 50 of 50 records are folded\n", (await RunAsync()).Text, StringComparison.Ordinal);
        time.Advance(TimeSpan.FromMinutes(1));
        Write(7);
        Assert.Matches("warn  history: 50 of 57 records are folded, and others wait since \\S+Z\n      → .*start a collector", (await RunAsync()).Text);
        time.Advance(TimeSpan.FromMinutes(58));
        Store.Open().Fold(TimeSpan.Zero);
        Write(3);
        Assert.Contains("ok    history: 57 of 60 records are folded\n", (await RunAsync()).Text, StringComparison.Ordinal);
    }
}
