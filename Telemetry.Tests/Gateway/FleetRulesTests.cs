using Telemetry.Gateway;
using Telemetry.Gateway.Fleet;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.Gateway;

public sealed class FleetRulesTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_file_changes_what_is_in_it_and_nothing_else()
    {
        File.WriteAllText(_path, """
            {
              // hot earlier
              "hot": { "temperature_c": 80, "for": "30s" },
              "xids": { "79": { "severity": "warning", "cause": "hardware", "text": "Off the bus", "advice": "Call us." } },
            }
            """);
        var rules = FleetRules.Load(_path);
        Assert.Equal(FleetRules.Default.Hot with { TemperatureC = 80, For = TimeSpan.FromSeconds(30) }, rules.Hot);
        Assert.Equal(FleetRules.Default.Idle, rules.Idle);
        Assert.Equal("Call us.", rules.Xid(79).Advice);
        Assert.Equal(FleetRules.Default.Xid(48), rules.Xid(48));
        Assert.Equal(FleetRules.Default.Xids.Count, rules.Xids.Count);
        Assert.Same(FleetRules.Default, FleetRules.Load(""));
    }

    [Theory]
    [InlineData("{ \"hot\": { \"temperature\": 80 } }", "hot")]
    [InlineData("{ \"hot\": { \"temperature_c\": \"warm\" } }", "hot.temperature_c")]
    [InlineData("{ \"lost_after\": 60 }", "lost_after: expected a duration")]
    [InlineData("{ \"lost_after\": null }", "lost_after")]
    [InlineData("{ \"lost_after\": \"0s\" }", "lost_after: expected 1s or longer")]
    [InlineData("{ \"idle\": { \"below_percent\": 0 } }", "idle.below_percent: expected a number above 0")]
    [InlineData("{ \"throttled\": { \"reasons\": [\"heat\"] } }", "throttled.reasons: expected some of sw_power_cap")]
    [InlineData("{ \"failing\": { \"window\": \"30d\" } }", "failing.window: expected a duration from 1m to 7d")]
    [InlineData("{ \"xids\": { \"x\": { \"severity\": \"info\", \"cause\": \"driver\", \"text\": \"\", \"advice\": \"\" } } }", "xids: expected numbers")]
    [InlineData("{ \"xids\": { \"7\": { \"severity\": \"bad\", \"cause\": \"driver\", \"text\": \"\", \"advice\": \"\" } } }", "xids")]
    [InlineData("{\n  \"hot\": {\n", "line 3 is no JSON")]
    [InlineData("[]", "expected an object")]
    public void What_makes_no_sense_is_refused_with_its_place(string json, string reason)
    {
        File.WriteAllText(_path, json);
        var error = Assert.Throws<SettingException>(() => FleetRules.Load(_path));
        Assert.StartsWith($"FLEET_RULES: '{_path}' is not accepted: {reason}", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_refused()
    {
        var error = Assert.Throws<SettingException>(() => GatewayApp.Build(new GatewayOptions { Port = 0, FleetRules = _path + ".missing" }));
        Assert.EndsWith("is not accepted: the file cannot be read", error.Message, StringComparison.Ordinal);
    }
}
