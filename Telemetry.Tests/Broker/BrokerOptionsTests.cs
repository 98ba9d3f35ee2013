using Telemetry.Broker;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.Broker;

public sealed class BrokerOptionsTests
{
    [Fact]
    public void Defaults_are_those_of_the_design()
    {
        var options = SettingsReader.Read<BrokerOptions>([], _ => null);
        Assert.Equal(new BrokerOptions(), options);
        Assert.Equal((9090, 9091, 4, 10_000), (options.Port, options.MetricsPort, options.MaxPartitions, options.MaxMessagesPerPartition));
        Assert.Equal((TimeSpan.FromHours(24), "", TimeSpan.Zero), (options.MessageTtl, options.DataPath, options.Fsync));
    }

    [Fact]
    public void Every_setting_is_a_variable_and_a_flag()
    {
        var fromFlags = SettingsReader.Read<BrokerOptions>(
            ["--port", "1", "--metrics-port", "2", "--max-partitions", "3", "--max-messages-per-partition", "4", "--message-ttl", "5s", "--data-path", "d", "--fsync", "6ms", "--log-level", "warn"],
            _ => null);
        var variables = new Dictionary<string, string>
        {
            ["PORT"] = "1",
            ["METRICS_PORT"] = "2",
            ["MAX_PARTITIONS"] = "3",
            ["MAX_MESSAGES_PER_PARTITION"] = "4",
            ["MESSAGE_TTL"] = "5s",
            ["DATA_PATH"] = "d",
            ["FSYNC"] = "6ms",
            ["LOG_LEVEL"] = "warn",
        };
        Assert.Equal(fromFlags, SettingsReader.Read<BrokerOptions>([], variables.GetValueOrDefault));
        Assert.Equal((1, 2, 3, 4, 5, "d", 6, LogVerbosity.Warn), (
            fromFlags.Port,
            fromFlags.MetricsPort,
            fromFlags.MaxPartitions,
            fromFlags.MaxMessagesPerPartition,
            fromFlags.MessageTtl.TotalSeconds,
            fromFlags.DataPath,
            fromFlags.Fsync.TotalMilliseconds,
            fromFlags.LogLevel));
        Assert.Equal(TimeSpan.Zero, SettingsReader.Read<BrokerOptions>(["--fsync", "always"], _ => null).Fsync);
    }

    [Theory]
    [InlineData("PORT", "65536", "PORT: '65536' is not accepted: expected a whole number from 0 to 65535")]
    [InlineData("METRICS_PORT", "-1", "METRICS_PORT: '-1' is not accepted: expected a whole number from 0 to 65535")]
    [InlineData("MAX_PARTITIONS", "0", "MAX_PARTITIONS: '0' is not accepted: expected a whole number from 1 to 1024")]
    [InlineData("MAX_PARTITIONS", "1025", "MAX_PARTITIONS: '1025' is not accepted: expected a whole number from 1 to 1024")]
    [InlineData("MAX_MESSAGES_PER_PARTITION", "0", "MAX_MESSAGES_PER_PARTITION: '0' is not accepted: expected a whole number from 1 to 1000000000")]
    [InlineData("MAX_MESSAGES_PER_PARTITION", "many", "MAX_MESSAGES_PER_PARTITION: 'many' is not accepted: expected a whole number from 1 to 1000000000")]
    [InlineData("MESSAGE_TTL", "999ms", "MESSAGE_TTL: '999ms' is not accepted: expected a duration such as 500ms, 5s or 24h from 1s to 3650d")]
    [InlineData("FSYNC", "2h", "FSYNC: '2h' is not accepted: expected always or a duration such as 500ms, 5s or 24h from 1ms to 1h")]
    [InlineData("FSYNC", "never", "FSYNC: 'never' is not accepted: expected always or a duration such as 500ms, 5s or 24h from 1ms to 1h")]
    public void A_value_that_is_not_accepted_is_named_with_what_is(string name, string value, string message)
    {
        var error = Assert.Throws<SettingException>(() => SettingsReader.Read<BrokerOptions>([], variable => variable == name ? value : null));
        Assert.Equal(message, error.Message);
    }
}
