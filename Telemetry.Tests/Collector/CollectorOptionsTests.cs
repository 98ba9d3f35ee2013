using Telemetry.Collector;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.Collector;

public sealed class CollectorOptionsTests
{
    [Fact]
    public void Every_setting_has_its_documented_default() => Assert.Equal(
        """
        MESSAGEQUEUE_ADDR=localhost:9090
        TOPIC=telemetry
        CONSUMER_GROUP=collectors
        DATABASE_PATH=data/telemetry.db
        POLL_INTERVAL=2s
        BATCH_SIZE=50
        WORKER_COUNT=2
        FOLD_INTERVAL=30s
        RAW_RETENTION=1h
        HISTORY_RETENTION=30d
        ROLLUP_RETENTION=400d
        METRICS_PORT=9093
        LOG_LEVEL=info
        LISTEN_ADDRESS=localhost
        """,
        string.Join(Environment.NewLine, SettingDescription.Of(new CollectorOptions()).Select(s => $"{s.Name}={s.DefaultText}")));

    [Theory]
    [InlineData("POLL_INTERVAL", "0s", "a duration such as 500ms, 5s or 24h from 1ms to 1m")]
    [InlineData("POLL_INTERVAL", "61s", "from 1ms to 1m")]
    [InlineData("BATCH_SIZE", "0", "a whole number from 1 to 65536")]
    [InlineData("BATCH_SIZE", "65537", "a whole number from 1 to 65536")]
    [InlineData("WORKER_COUNT", "0", "a whole number from 1 to 64")]
    [InlineData("WORKER_COUNT", "65", "a whole number from 1 to 64")]
    [InlineData("FOLD_INTERVAL", "99ms", "from 100ms to 10m")]
    [InlineData("RAW_RETENTION", "59s", "from 1m to 3650d")]
    [InlineData("HISTORY_RETENTION", "never", "from 1m to 3650d")]
    [InlineData("ROLLUP_RETENTION", "3651d", "from 1m to 3650d")]
    [InlineData("METRICS_PORT", "65536", "a whole number from 0 to 65535")]
    public void A_value_out_of_range_is_refused_with_what_is_accepted(string setting, string value, string accepted)
    {
        var error = Assert.Throws<SettingException>(() => SettingsReader.Read<CollectorOptions>([], name => name == setting ? value : null));
        Assert.StartsWith($"{setting}: '{value}' is not accepted: expected ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(accepted, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--raw-retention", "31d", "HISTORY_RETENTION: '30d' is not accepted: expected at least RAW_RETENTION (31d)")]
    [InlineData("--history-retention", "401d", "ROLLUP_RETENTION: '400d' is not accepted: expected at least HISTORY_RETENTION (401d)")]
    public void A_retention_is_not_shorter_than_the_one_before(string flag, string value, string message)
    {
        var options = SettingsReader.Read<CollectorOptions>([flag, value], _ => null);
        Assert.Equal(message, Assert.Throws<SettingException>(() => CollectorApp.Build(options)).Message);
    }

    [Fact]
    public void A_bad_address_of_the_queue_is_refused()
    {
        var options = new CollectorOptions { MessageQueueAddress = "nowhere", DatabasePath = Path.Combine(Path.GetTempPath(), "never-made.db") };
        Assert.Contains("MESSAGEQUEUE_ADDR", Assert.Throws<SettingException>(() => CollectorApp.Build(options)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(options.DatabasePath));
    }

    [Fact]
    public void A_store_that_cannot_be_used_is_one_clear_line()
    {
        var error = Assert.Throws<StartupException>(() => CollectorApp.Build(new CollectorOptions { DatabasePath = Path.GetTempPath(), MetricsPort = 0 }));
        Assert.Contains("is a folder: set DATABASE_PATH to a file", error.Message, StringComparison.Ordinal);
    }
}
