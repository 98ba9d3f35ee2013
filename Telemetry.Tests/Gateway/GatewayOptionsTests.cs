using Telemetry.Gateway;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.Gateway;

public sealed class GatewayOptionsTests
{
    [Fact]
    public void The_defaults_are_those_of_the_contract()
    {
        var options = Read([]);
        Assert.Equal(8080, options.Port);
        Assert.Equal("data/telemetry.db", options.DatabasePath);
        Assert.True(options.CorsEnabled);
        Assert.Equal("", options.MessageQueueAddress);
        Assert.Equal("localhost", options.ListenAddress);
    }

    [Fact]
    public void Each_setting_is_read_from_the_environment_and_a_flag_wins()
    {
        var environment = new Dictionary<string, string>
        {
            ["PORT"] = "81",
            ["DATABASE_PATH"] = "/tmp/a.db",
            ["CORS_ENABLED"] = "false",
            ["MESSAGEQUEUE_ADDR"] = "queue:9090",
        };
        var options = SettingsReader.Read<GatewayOptions>(["--port", "82"], environment.GetValueOrDefault);
        Assert.Equal(82, options.Port);
        Assert.Equal("/tmp/a.db", options.DatabasePath);
        Assert.False(options.CorsEnabled);
        Assert.Equal("queue:9090", options.MessageQueueAddress);
    }

    [Theory]
    [InlineData("--port", "65536", "--port: '65536' is not accepted: expected a whole number from 0 to 65535")]
    [InlineData("--port", "-1", "--port: '-1' is not accepted: expected a whole number from 0 to 65535")]
    [InlineData("--cors-enabled", "yes", "--cors-enabled: 'yes' is not accepted: expected true or false")]
    [InlineData("--database-path", "", "--database-path: '' is not accepted: expected a text that is not empty")]
    public void A_value_that_cannot_be_used_is_refused_by_name(string flag, string value, string text)
    {
        var error = Assert.Throws<SettingException>(() => Read([flag, value]));
        Assert.Equal(text, error.Message);
    }

    private static GatewayOptions Read(string[] args) => SettingsReader.Read<GatewayOptions>(args, _ => null);
}
