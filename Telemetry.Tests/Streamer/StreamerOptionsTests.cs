using Telemetry.ServiceDefaults.Settings;
using Telemetry.Streamer;

namespace Telemetry.Tests.Streamer;

public sealed class StreamerOptionsTests
{
    private static StreamerOptions Read(params string[] args) => SettingsReader.Read<StreamerOptions>(args, _ => null);

    [Fact]
    public void The_defaults_are_those_of_the_design()
    {
        var options = Read();
        Assert.Equal("data/telemetry.csv", options.CsvFile);
        Assert.Equal("", options.QueueAddr);
        Assert.Equal("telemetry", options.Topic);
        Assert.Equal(TimeSpan.FromSeconds(5), options.StreamInterval);
        Assert.Equal(10, options.BatchSize);
        Assert.True(options.LoopData);
        Assert.Equal(TimestampMode.Now, options.TimestampMode);
        Assert.False(options.Follow);
        Assert.Equal(9092, options.MetricsPort);
    }

    [Fact]
    public void Every_setting_is_an_environment_variable()
    {
        var variables = new Dictionary<string, string>
        {
            ["CSV_FILE"] = "x/*.csv",
            ["MESSAGEQUEUE_ADDR"] = "queue:1",
            ["TOPIC"] = "t",
            ["STREAM_INTERVAL"] = "0",
            ["BATCH_SIZE"] = "65536",
            ["LOOP_DATA"] = "false",
            ["TIMESTAMP_MODE"] = "source",
            ["FOLLOW"] = "1",
            ["METRICS_PORT"] = "0",
            ["LOG_LEVEL"] = "warn",
        };
        var options = SettingsReader.Read<StreamerOptions>([], variables.GetValueOrDefault);
        Assert.Equal(
            new StreamerOptions
            {
                CsvFile = "x/*.csv",
                QueueAddr = "queue:1",
                Topic = "t",
                StreamInterval = TimeSpan.Zero,
                BatchSize = 65536,
                LoopData = false,
                TimestampMode = TimestampMode.Source,
                Follow = true,
                MetricsPort = 0,
                LogLevel = LogVerbosity.Warn,
            },
            options);
    }

    [Theory]
    [InlineData("--batch-size", "0", "--batch-size: '0' is not accepted: expected a whole number from 1 to 65536")]
    [InlineData("--batch-size", "65537", "--batch-size: '65537' is not accepted: expected a whole number from 1 to 65536")]
    [InlineData("--stream-interval", "5", "--stream-interval: '5' is not accepted: expected a duration such as 500ms, 5s or 24h from 0s to 24h")]
    [InlineData("--stream-interval", "25h", "--stream-interval: '25h' is not accepted: expected a duration such as 500ms, 5s or 24h from 0s to 24h")]
    [InlineData("--timestamp-mode", "later", "--timestamp-mode: 'later' is not accepted: expected one of now, source")]
    [InlineData("--loop-data", "maybe", "--loop-data: 'maybe' is not accepted: expected true or false")]
    [InlineData("--follow", "2", "--follow: '2' is not accepted: expected true or false")]
    [InlineData("--metrics-port", "65536", "--metrics-port: '65536' is not accepted: expected a whole number from 0 to 65535")]
    [InlineData("--csv-file", "", "--csv-file: '' is not accepted: expected a text that is not empty")]
    [InlineData("--topic", "", "--topic: '' is not accepted: expected a text that is not empty")]
    public void A_value_out_of_range_is_refused_by_name(string flag, string value, string message) =>
        Assert.Equal(message, Assert.Throws<SettingException>(() => Read(flag, value)).Message);

    [Fact]
    public void The_help_says_what_following_does_to_looping()
    {
        var help = SettingsReader.Help<StreamerOptions>("streamer", "streams");
        Assert.Contains("LOOP_DATA has no effect then", help, StringComparison.Ordinal);
        Assert.Contains("MESSAGEQUEUE_ADDR, default localhost:9090", help, StringComparison.Ordinal);
    }

    [Fact]
    public void A_followed_input_has_no_end_whatever_looping_is_set_to()
    {
        Assert.False(Read("--follow", "--loop-data", "false").IsFinite);
        Assert.True(Read("--loop-data", "false").IsFinite);
        Assert.False(Read().IsFinite);
    }
}
