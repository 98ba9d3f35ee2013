using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.ServiceDefaults;

public sealed class SettingsReaderTests
{
    public enum Colour
    {
        Red,
        Blue,
    }

    public sealed record SampleOptions : ServiceOptions
    {
        [Setting("BATCH_SIZE", "Records in a batch.", Min = "1", Max = "100")]
        public int BatchSize { get; init; } = 10;

        [Setting("BYTES", "Bytes.", Min = "0")]
        public long Bytes { get; init; } = 5_000_000_000;

        [Setting("INTERVAL", "The pause.", Min = "100ms", Max = "1h")]
        public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

        [Setting("SYNC", "When.", DurationWords = "always=0s", Min = "1ms", Max = "1h", DefaultText = "always")]
        public TimeSpan Sync { get; init; }

        [Setting("LOOP", "Again and again.")]
        public bool Loop { get; init; } = true;

        [Setting("COLOUR", "The colour.")]
        public Colour Colour { get; init; }

        [Setting("FILE", "The file.")]
        public string File { get; init; } = "data/x.csv";

        [Setting("FOLDER", "The folder.", AllowEmpty = true)]
        public string Folder { get; init; } = "";
    }

    [Fact]
    public void Without_flags_and_variables_the_defaults_hold() => Assert.Equal(new SampleOptions(), Read([]));

    [Fact]
    public void A_variable_sets_and_a_flag_wins()
    {
        var environment = new Dictionary<string, string> { ["BATCH_SIZE"] = "20", ["INTERVAL"] = "1m", ["LOG_LEVEL"] = "debug", ["FILE"] = "" };
        var options = Read(["--batch-size", "30"], environment);
        Assert.Equal(new SampleOptions { BatchSize = 30, Interval = TimeSpan.FromMinutes(1), LogLevel = LogVerbosity.Debug }, options);
    }

    [Theory]
    [InlineData("--loop=false", false)]
    [InlineData("--loop", true)]
    [InlineData("--loop=TRUE", true)]
    [InlineData("--loop=0", false)]
    public void A_switch_alone_means_true(string flag, bool expected) => Assert.Equal(expected, Read([flag]).Loop);

    [Fact]
    public void Values_may_follow_a_blank_or_an_equals_sign_and_begin_with_a_dash_or_an_at_sign()
    {
        Assert.Equal("-x.csv", Read(["--file=-x.csv"]).File);
        Assert.Equal("@x.csv", Read(["--file", "@x.csv"]).File);
        Assert.Equal("a=b.csv", Read(["--file=a=b.csv"]).File);
    }

    [Fact]
    public void A_word_can_stand_for_a_duration()
    {
        Assert.Equal(TimeSpan.Zero, Read(["--sync", "always"]).Sync);
        Assert.Equal(TimeSpan.FromMilliseconds(50), Read(["--sync", "50ms"]).Sync);
    }

    [Theory]
    [InlineData("--batch-size", "ten", "--batch-size: 'ten' is not accepted: expected a whole number from 1 to 100")]
    [InlineData("--batch-size", "0", "--batch-size: '0' is not accepted: expected a whole number from 1 to 100")]
    [InlineData("--batch-size", "101", "--batch-size: '101' is not accepted: expected a whole number from 1 to 100")]
    [InlineData("--batch-size", "99999999999999999999", "--batch-size: '99999999999999999999' is not accepted: expected a whole number from 1 to 100")]
    [InlineData("--bytes", "-1", "--bytes: '-1' is not accepted: expected a whole number of at least 0")]
    [InlineData("--interval", "50ms", "--interval: '50ms' is not accepted: expected a duration such as 500ms, 5s or 24h from 100ms to 1h")]
    [InlineData("--interval", "5", "--interval: '5' is not accepted: expected a duration such as 500ms, 5s or 24h from 100ms to 1h")]
    [InlineData("--sync", "sometimes", "--sync: 'sometimes' is not accepted: expected always or a duration such as 500ms, 5s or 24h from 1ms to 1h")]
    [InlineData("--loop", "maybe", "--loop: 'maybe' is not accepted: expected true or false")]
    [InlineData("--colour", "green", "--colour: 'green' is not accepted: expected one of red, blue")]
    [InlineData("--colour", "1", "--colour: '1' is not accepted: expected one of red, blue")]
    [InlineData("--file", "", "--file: '' is not accepted: expected a text that is not empty")]
    [InlineData("--file", "a\0b", "--file: 'a?b' is not accepted: expected a text that is not empty")]
    public void A_bad_value_is_named_with_what_is_accepted(string flag, string value, string message) =>
        Assert.Equal(message, Assert.Throws<SettingException>(() => Read([flag, value])).Message);

    [Fact]
    public void A_bad_variable_is_named_as_a_variable() =>
        Assert.Equal(
            "BATCH_SIZE: 'x' is not accepted: expected a whole number from 1 to 100",
            Assert.Throws<SettingException>(() => Read([], new() { ["BATCH_SIZE"] = "x" })).Message);

    [Theory]
    [InlineData("--batch-sise", "--batch-sise: unknown flag; did you mean --batch-size? --help lists all of them")]
    [InlineData("file.csv", "file.csv: unknown flag; did you mean --file? --help lists all of them")]
    public void An_unknown_flag_is_named_with_the_nearest_known_one(string flag, string message) =>
        Assert.Equal(message, Assert.Throws<SettingException>(() => Read([flag])).Message);

    [Fact]
    public void A_flag_without_its_value_and_a_flag_given_twice_are_refused()
    {
        Assert.StartsWith("--batch-size: has no value", Assert.Throws<SettingException>(() => Read(["--batch-size"])).Message, StringComparison.Ordinal);
        Assert.Equal("--batch-size: given 2 times; give it once", Assert.Throws<SettingException>(() => Read(["--batch-size", "1", "--batch-size", "2"])).Message);
    }

    [Fact]
    public void Help_has_every_setting_with_its_variable_default_and_range()
    {
        var help = SettingsReader.Help<SampleOptions>("sample", "a sample");
        Assert.Contains("--batch-size", help, StringComparison.Ordinal);
        Assert.Contains("BATCH_SIZE, default 10; a whole number from 1 to 100", help, StringComparison.Ordinal);
        Assert.Contains("SYNC, default always; always or a duration", help, StringComparison.Ordinal);
        Assert.Contains("FOLDER, default none;", help, StringComparison.Ordinal);
        Assert.Contains("LOG_LEVEL, default info; one of debug, info, warn, error", help, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_ends_with_2_for_bad_settings_1_for_a_failed_start_and_0_for_help()
    {
        Assert.Equal(2, await ServiceProgram.RunAsync<SampleOptions>("sample", "a sample", ["--nope"], _ => Task.FromResult(0)));
        Assert.Equal(1, await ServiceProgram.RunAsync<SampleOptions>("sample", "a sample", [], _ => throw new StartupException("no disk")));
        Assert.Equal(0, await ServiceProgram.RunAsync<SampleOptions>("sample", "a sample", ["--help"], _ => throw new InvalidOperationException("must not run")));
    }

    private static SampleOptions Read(string[] args, Dictionary<string, string>? environment = null) =>
        SettingsReader.Read<SampleOptions>(args, name => environment?.GetValueOrDefault(name));
}
