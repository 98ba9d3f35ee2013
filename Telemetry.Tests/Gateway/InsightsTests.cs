using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Gateway.Fleet;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway;

public sealed class InsightsTests(InsightsFixture fleet) : IClassFixture<InsightsFixture>
{
    [Fact]
    public async Task Findings_have_a_reason_and_since_when_the_worst_first()
    {
        var answer = await fleet.Server.GetAsync("/api/v1/fleet/insights");
        Assert.Equal(
            [
                "failing critical failing 2025-07-18T19:15:30Z False: XID 79: GPU has fallen off the bus; 2 times in 24 h, last 19 min 30 s ago",
                "failing critical failing 2025-07-18T20:25:30Z False: ecc_dbe is 2 (Uncorrectable ECC errors)",
                "lost critical lost 2025-07-18T20:35:00Z False: no record for 25 min; lost after 1 min",
                "dark critical lost 2025-07-18T20:40:00Z False: no record for 20 min; lost after 1 min; so are all 2 GPUs of its host",
                "dark critical lost 2025-07-18T20:40:00Z False: no record for 20 min; lost after 1 min; so are all 2 GPUs of its host",
                "fallen critical lost 2025-07-18T20:40:00Z False: no record for 20 min; lost after 1 min; 1 of the 2 GPUs of its host still reports",
                "held warning idle_held 2025-07-18T19:40:30Z False: gpu_utilization has been below 5 % for 1 h 19 min while 20000 MiB are held",
                "incomplete warning incomplete 2025-07-18T20:00:00Z True: 15 of about 120 records arrived, 12.5 %",
                "hot warning hot 2025-07-18T20:50:30Z False: temperature_c is 91 °C, and has been 85 °C or more for 9 min 30 s",
                "hot warning throttled 2025-07-18T20:50:30Z False: the clock has been lowered for 9 min 30 s: sw_thermal",
                "idle info idle 2025-07-18T19:00:30Z True: gpu_utilization has been below 5 % for at least 1 h 59 min",
                "failing info application_error 2025-07-18T19:30:30Z False: XID 13: Graphics engine exception; once in 24 h, last 1 h 29 min ago",
            ],
            answer.GetProperty("findings").EnumerateArray().Select(f =>
                $"{f.GetProperty("host_id")} {f.GetProperty("severity")} {f.GetProperty("kind")} {f.GetProperty("since")} {f.GetProperty("since_at_least").GetBoolean()}: {f.GetProperty("reason")}"));
        Assert.All(answer.GetProperty("findings").EnumerateArray(), f => Assert.NotEqual("", f.GetProperty("advice").GetString()));
        Assert.Equal(
            """[{"metric":"temperature_c","value":91,"threshold":85,"timestamp":"2025-07-18T21:00:00Z"}]""",
            answer.GetProperty("findings").EnumerateArray().Single(f => f.GetProperty("kind").GetString() == "hot").GetProperty("evidence").GetRawText());
    }

    [Fact]
    public async Task Where_most_of_the_fleet_is_incomplete_it_is_the_pipeline_that_is_to_be_looked_at()
    {
        var time = new FakeTimeProvider(InsightsFixture.Now);
        using var file = new StoreFile(time);
        // All stood still for twenty minutes.
        file.Write([.. Enumerable.Range(1, 120).Where(i => i is < 40 or > 80).SelectMany(i => new[] { "0", "1", "2" }.Select(gpu => FleetFixture.Record(
            InsightsFixture.Now.AddSeconds(30 * (i - 120)), new GpuLabels("node-a", gpu, "", "", "", "", "", ""), ("power_w", 400))))]);
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path }, time);
        var findings = (await server.GetAsync("/api/v1/fleet/insights?kind=incomplete")).GetProperty("findings").EnumerateArray().ToList();
        Assert.Equal(3, findings.Count);
        Assert.All(findings, finding => Assert.StartsWith("Most of the fleet is incomplete: look at the pipeline first", finding.GetProperty("advice").GetString(), StringComparison.Ordinal));
        var one = (await fleet.Server.GetAsync("/api/v1/fleet/insights?kind=incomplete")).GetProperty("findings").EnumerateArray().Single();
        Assert.StartsWith("Look at the exporter on its node", one.GetProperty("advice").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_summary_counts_states_and_findings()
    {
        var summary = (await fleet.Server.GetAsync("/api/v1/fleet/insights")).GetProperty("summary");
        Assert.Equal(
            """{"gpus":13,"reporting":9,"allocated":5,"active":3,"effective":3,"idle":2,"idle_held":1,"unknown":3,"lost":4,"hot":1,"throttled":1,"failing":1,"incomplete":1,"power_w":540,"energy_kwh_24h":1.076}""",
            summary.GetRawText());
    }

    [Fact]
    public async Task Findings_can_be_of_one_host_gpu_or_kind()
    {
        Assert.Equal(["hot", "throttled"], await KindsAsync("?host_id=hot"));
        Assert.Equal(["lost", "lost", "lost", "lost", "idle"], await KindsAsync("?kind=idle,lost"));
        Assert.Equal([], await KindsAsync("?gpu_id=7"));
        await fleet.Server.GetProblemAsync("/api/v1/fleet/insights?host_id=nobody", 404);
        var problem = await fleet.Server.GetProblemAsync("/api/v1/fleet/insights?kind=warm", 400);
        Assert.Contains("expected some of lost, failing", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Columns_say_the_same_as_the_newest_records()
    {
        var columns = await fleet.Server.GetAsync("/api/v1/fleet/gpus");
        var latest = await fleet.Server.GetAsync("/api/v1/telemetry/latest");
        Assert.Equal(latest.GetProperty("total").GetInt32(), columns.GetProperty("total").GetInt32());
        foreach (var (i, record) in latest.GetProperty("data").EnumerateArray().Index())
        {
            foreach (var name in new[] { "host_id", "gpu_id", "uuid", "model", "device", "pod", "namespace", "container", "age_seconds", "state" })
                Assert.Equal(record.GetProperty(name).GetRawText(), columns.GetProperty(name)[i].GetRawText());
            Assert.Equal(
                record.GetProperty("metrics").EnumerateObject().Select(m => $"{m.Name}={m.Value}").Order(StringComparer.Ordinal),
                columns.GetProperty("metrics").EnumerateObject().Where(m => m.Value[i].ValueKind != JsonValueKind.Null).Select(m => $"{m.Name}={m.Value[i]}").Order(StringComparer.Ordinal));
        }
        var some = await fleet.Server.GetAsync("/api/v1/fleet/gpus?metrics=power_w&host_id=held");
        Assert.Equal("""{"power_w":[80]}""", some.GetProperty("metrics").GetRawText());
        await fleet.Server.GetProblemAsync("/api/v1/fleet/gpus?metrics=powers", 400);
    }

    [Fact]
    public async Task Usage_is_by_hour_host_and_namespace()
    {
        var usage = await fleet.Server.GetAsync("/api/v1/fleet/usage?start_time=2025-07-18T19:10:00Z&end_time=2025-07-18T20:59:00Z");
        Assert.Equal("2025-07-18T19:00:00Z 2025-07-18T21:00:00Z", $"{usage.GetProperty("start_time")} {usage.GetProperty("end_time")}");
        Assert.Equal("2025-07-18T19:00:00Z 2025-07-18T20:00:00Z", string.Join(' ', usage.GetProperty("hours").EnumerateArray().Select(h => h.GetProperty("start_time"))));
        // 19:00:30 to 20:59:30: the last record, of 21:00:00, is of the next hour.
        var held = usage.GetProperty("hosts").EnumerateArray().Single(h => h.GetProperty("host_id").GetString() == "held");
        Assert.Equal((1.992, 0.992, 1, 0.159), (Number(held, "gpu_hours"), Number(held, "active_hours"), Number(held, "idle_held_hours"), Number(held, "energy_kwh")));
        var idle = usage.GetProperty("hosts").EnumerateArray().Single(h => h.GetProperty("host_id").GetString() == "idle");
        Assert.Equal((1.992, 1.992, 0), (Number(idle, "gpu_hours"), Number(idle, "idle_hours"), Number(idle, "gpu_utilization")));
        Assert.Equal(["", "research"], usage.GetProperty("namespaces").EnumerateArray().Select(n => n.GetProperty("namespace").GetString() ?? ""));
        Assert.Equal(Number(usage.GetProperty("total"), "gpu_hours"), usage.GetProperty("hosts").EnumerateArray().Sum(h => Number(h, "gpu_hours")), 0.01);
        await fleet.Server.GetProblemAsync("/api/v1/fleet/usage?start_time=9999-12-31T00:00:00Z&end_time=9999-12-31T23:30:00Z", 400);
        Assert.Equal(Number(usage.GetProperty("total"), "gpu_hours"), usage.GetProperty("hours").EnumerateArray().Sum(h => Number(h, "gpu_hours")), 0.01);
    }

    [Fact]
    public async Task Events_are_told_newest_first()
    {
        Assert.Equal(
            [
                "2025-07-18T20:40:30Z - xid critical XID 79: GPU has fallen off the bus; in 3 records one after the other",
                "2025-07-18T20:25:30Z - ecc critical Uncorrectable ECC errors: ecc_dbe rose from 0 to 2",
                "2025-07-18T19:30:30Z - xid info XID 13: Graphics engine exception",
                "2025-07-18T19:15:30Z - xid critical XID 79: GPU has fallen off the bus",
            ], await EventsAsync("failing"));
        Assert.Equal(["2025-07-18T20:50:30Z - throttle warning Clock lowered: sw_thermal"], await EventsAsync("hot"));
        Assert.Equal(["2025-07-18T20:35:00Z - silence critical No records: nothing has arrived since"], await EventsAsync("lost"));
        Assert.Equal(["2025-07-18T20:48:30Z - labels info Labels changed: pod from 'job-1' to 'job-2'"], await EventsAsync("busy"));
        var silent = await EventsAsync("incomplete");
        Assert.Equal("2025-07-18T20:55:30Z 2025-07-18T20:59:00Z silence warning No records: nothing arrived for 3 min 30 s", silent[0]);
        // Nothing of the range is there: it was lost before.
        Assert.Equal(["2025-07-18T20:50:00Z - silence critical No records: nothing has arrived for 25 min"], await EventsAsync("lost", "start_time=2025-07-18T20:50:00Z"));
        // What came after the range has arrived.
        Assert.Equal("2025-07-18T20:50:30Z 2025-07-18T20:54:00Z silence warning No records: nothing arrived for 3 min 30 s",
            (await EventsAsync("incomplete", "start_time=2025-07-18T20:49:00Z&end_time=2025-07-18T20:54:00Z"))[0]);
        await fleet.Server.GetProblemAsync("/api/v1/telemetry/hosts/hot/gpus/1/events", 404);
        await fleet.Server.GetProblemAsync("/api/v1/telemetry/hosts/hot/gpus/0/events?start_time=2025-01-01T00:00:00Z", 400);
    }

    [Fact]
    public async Task Labels_are_told_over_time()
    {
        var answer = await fleet.Server.GetAsync("/api/v1/telemetry/hosts/busy/gpus/0/labels");
        Assert.Equal(
            ["job-2 2025-07-18T20:48:30Z 2025-07-18T21:00:00Z", "job-1 2025-07-18T19:00:30Z 2025-07-18T20:48:00Z"],
            answer.GetProperty("data").EnumerateArray().Select(l => $"{l.GetProperty("pod")} {l.GetProperty("first_seen")} {l.GetProperty("last_seen")}"));
        await fleet.Server.GetProblemAsync("/api/v1/telemetry/hosts/nobody/gpus/0/labels", 404);
    }

    [Fact]
    public async Task Metrics_have_units()
    {
        var answer = await fleet.Server.GetAsync("/api/v1/metrics");
        Assert.Equal(
            ["clock_event_reasons ", "ecc_dbe ", "gpu_utilization %", "memory_used_mb MiB", "power_w W", "temperature_c °C", "xid "],
            answer.GetProperty("data").EnumerateArray().Select(m => $"{m.GetProperty("name")} {m.GetProperty("unit")}"));
    }

    [Fact]
    public async Task The_rules_in_effect_can_be_read()
    {
        var rules = await fleet.Server.GetAsync("/api/v1/fleet/rules");
        Assert.Equal("1m", rules.GetProperty("lost_after").GetString());
        Assert.Equal("hardware", rules.GetProperty("xids").GetProperty("79").GetProperty("cause").GetString());
        Assert.Equal(FleetRules.Default.Xids.Count, rules.GetProperty("xids").EnumerateObject().Count());
    }

    [Theory]
    [InlineData("/api/v1/telemetry/hosts")]
    [InlineData("/api/v1/fleet/rules")]
    [InlineData("/openapi/v1.json")]
    public async Task What_changes_rarely_is_not_sent_twice(string path)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var first = await fleet.Server.Client.GetAsync(new Uri(path, UriKind.Relative), cancel);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal("no-cache", first.Headers.CacheControl?.ToString());
        Assert.Equal(HttpStatusCode.NotModified, await AskAsync(first.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, await AskAsync("\"other\", " + first.Headers.ETag.ToString()));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("\"other\""));

        async Task<HttpStatusCode> AskAsync(string tag)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
            using var response = await fleet.Server.Client.SendAsync(request, cancel);
            var body = await response.Content.ReadAsByteArrayAsync(cancel);
            Assert.Equal(response.StatusCode == HttpStatusCode.OK, body.Length > 0);
            return response.StatusCode;
        }
    }

    private async Task<List<string>> KindsAsync(string query) =>
        [.. (await fleet.Server.GetAsync("/api/v1/fleet/insights" + query)).GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("kind").GetString()!)];

    private async Task<List<string>> EventsAsync(string host, string range = "time_range=24h") =>
        [.. (await fleet.Server.GetAsync($"/api/v1/telemetry/hosts/{host}/gpus/0/events?{range}")).GetProperty("data").EnumerateArray().Select(e =>
            $"{e.GetProperty("timestamp")} {(e.GetProperty("end_time").ValueKind == JsonValueKind.Null ? "-" : e.GetProperty("end_time"))} {e.GetProperty("kind")} {e.GetProperty("severity")} {e.GetProperty("title")}: {e.GetProperty("text")}")];

    private static double Number(JsonElement figures, string name) => double.Parse(figures.GetProperty(name).GetRawText(), CultureInfo.InvariantCulture);
}
