using Microsoft.Extensions.Time.Testing;
using Telemetry.Gateway;
using Telemetry.Gateway.Fleet;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage.Queries;

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
    [InlineData("{\n  \"hot\": {\n", "line 3 cannot be read as JSON")]
    [InlineData("{ \"lost_after\": \"1m\", \"lost_after\": \"2m\" }", "a property is there twice")]
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

    [Fact]
    public async Task A_rule_can_be_switched_off_and_a_code_that_the_gauge_keeps_has_no_known_beginning()
    {
        var now = new DateTimeOffset(2025, 7, 18, 21, 0, 0, TimeSpan.Zero);
        var time = new FakeTimeProvider(now);
        using var file = new StoreFile(time);
        var gpu = new GpuLabels("node", "0", "", "", "", "", "", "");
        file.Write([.. Enumerable.Range(0, 20).Select(i => FleetFixture.Record(now.AddSeconds(-10 * (20 - i)), gpu, ("xid", 79), ("clock_event_reasons", 0x20)))]);
        await File.WriteAllTextAsync(_path, """{ "throttled": { "reasons": [] } }""", TestContext.Current.CancellationToken);
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path, FleetRules = _path }, time);
        var finding = Assert.Single((await server.GetAsync("/api/v1/fleet/insights")).GetProperty("findings").EnumerateArray());
        Assert.Equal("XID 79: GPU has fallen off the bus; reported for more than 24 h", finding.GetProperty("reason").GetString());
        Assert.True(finding.GetProperty("since_at_least").GetBoolean());
    }
}
