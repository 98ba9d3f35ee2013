using System.Globalization;
using System.Net;
using System.Text.Json;
using Telemetry.Gateway;
using Telemetry.Gateway.Prometheus;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Gateway.Prometheus;

/// <summary>Requests as Grafana makes them, over the fleet of known values.</summary>
public sealed class PrometheusTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private static readonly long Now = FleetFixture.Now.ToUnixTimeSeconds();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Grafana_tests_its_data_source()
    {
        Assert.Equal($$"""{"resultType":"scalar","result":[{{Now}},"2"]}""", (await PostAsync("query", ("query", "1+1"), ("time", $"{Now}"))).GetRawText());
        var build = await DataAsync("status/buildinfo");
        Assert.Equal("2.55.0", build.GetProperty("version").GetString());
        Assert.StartsWith("gpu-telemetry-gateway-", build.GetProperty("revision").GetString(), StringComparison.Ordinal);
        Assert.Equal("[]", (await PostAsync("query_exemplars", ("query", "power_w"), ("start", "0"), ("end", "1"))).GetRawText());
        Assert.Equal("""{"groups":[]}""", (await DataAsync("rules?type=alert")).GetRawText());
        Assert.Equal("""{"alerts":[]}""", (await DataAsync("alerts")).GetRawText());
        Assert.Equal("gauge", (await DataAsync("metadata")).GetProperty("power_w")[0].GetProperty("type").GetString());
        Assert.Equal(["power_w"], (await DataAsync("metadata?metric=power_w")).EnumerateObject().Select(m => m.Name));
    }

    [Fact]
    public async Task Before_there_is_a_store_all_is_empty_and_1_plus_1_is_2()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path });
        Assert.Equal("2", (await server.GetAsync("/prometheus/api/v1/query?query=1%2B1&time=5")).GetProperty("data").GetProperty("result")[1].GetString());
        Assert.Equal("[]", (await server.GetAsync("/prometheus/api/v1/query?query=power_w")).GetProperty("data").GetProperty("result").GetRawText());
        Assert.Equal("[]", (await server.GetAsync("/prometheus/api/v1/label/__name__/values")).GetProperty("data").GetRawText());
        Assert.Equal("[]", (await server.GetAsync("/prometheus/api/v1/series?match[]=power_w")).GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_panel_over_time_is_the_newest_value_at_each_step()
    {
        var data = await PostAsync("query_range", ("query", "gpu_utilization{gpu_id=\"0\"}"), ("start", $"{Now - 60}"), ("end", $"{Now + 360}"), ("step", "15"), ("not_known", "1"));
        Assert.Equal("matrix", data.GetProperty("resultType").GetString());
        var series = Assert.Single(data.GetProperty("result").EnumerateArray());
        Assert.Equal(
            """{"__name__":"gpu_utilization","container":"trainer","device":"nvidia0","gpu_id":"0","host_id":"node-a","model":"NVIDIA H100","namespace":"research","pod":"train-0","uuid":"GPU-a0"}""",
            series.GetProperty("metric").GetRawText());
        // Values 0 to 59, ten seconds apart, the last of them ten seconds ago; it is shown for less than five minutes.
        var expected = Enumerable.Range(0, 29).Select(i => (Time: Now - 60 + (15 * i), Value: Math.Min(54 + (15 * i / 10), 59))).Where(p => p.Time < Now - 10 + 300);
        Assert.Equal(expected.Select(p => $"[{p.Time},\"{p.Value}\"]"), series.GetProperty("values").EnumerateArray().Select(v => v.GetRawText()));
    }

    [Theory]
    [InlineData("avg by (host_id) (gpu_utilization)", """{"host_id":"node-a"} 30.5""")]
    [InlineData("sum(power_w) + count(gpu_utilization)", "{} 302.5")]
    [InlineData("max_over_time(gpu_utilization{gpu_id=\"0\"}[1m] offset 3m) - min_over_time(gpu_utilization{gpu_id=\"0\"}[1m] offset 3m)", "nvidia0 4")]
    [InlineData("temperature_c", "")] // the newest is two minutes old, at the time that is asked for more than five
    [InlineData("temperature_c offset 5m", "node-b 31")]
    [InlineData("memory_used_mb{pod=\"\"} > 1024", "nvidia1 4096")]
    [InlineData("count((gpu_utilization < 5) and on (host_id, gpu_id) (memory_used_mb > 1024)) or vector(0)", "{} 1")]
    [InlineData("count(gpu_utilization > 1000) or vector(0)", "{} 0")]
    [InlineData("rate(gpu_utilization{gpu_id=\"0\"}[1m] offset 3m)", "nvidia0 0.1")]
    [InlineData("bottomk(1, gpu_utilization)", "nvidia1 2")]
    [InlineData("time() - timestamp(power_w)", "nvidia0 190")]
    [InlineData("DCGM_FI_DEV_GPU_UTIL{Hostname=\"node-a\",gpu=\"1\",instance=~\"node.*\",modelName!=\"\"}", "nvidia1 2")]
    [InlineData("sum(gpu_utilization) / 0", "{} +Inf")]
    public async Task A_query_at_an_instant_is_a_recount(string query, string expected)
    {
        var time = Now + 180;
        var data = await PostAsync("query", ("query", query), ("time", $"{time}"));
        var result = Assert.Single(data.GetProperty("result").EnumerateArray().Select(r => r.GetRawText()).DefaultIfEmpty(""));
        if (expected.Length == 0)
        {
            Assert.Equal("", result);
            return;
        }
        var parts = expected.Split(' ');
        Assert.Contains(parts[0], result, StringComparison.Ordinal);
        Assert.EndsWith($"\"value\":[{time},\"{parts[1]}\"]}}", result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_selector_with_a_range_gives_its_samples_and_a_text_itself()
    {
        var data = await PostAsync("query", ("query", "power_w[30s]"), ("time", $"{Now}"));
        Assert.Equal("matrix", data.GetProperty("resultType").GetString());
        Assert.Equal([$"[{Now - 20},\"300.5\"]", $"[{Now - 10},\"300.5\"]"], Assert.Single(data.GetProperty("result").EnumerateArray()).GetProperty("values").EnumerateArray().Select(v => v.GetRawText()));
        Assert.Equal($$"""{"resultType":"string","result":[{{Now}},"a"]}""", (await PostAsync("query", ("query", "'a'"), ("time", "2025-07-18T21:00:00Z"))).GetRawText());
    }

    [Fact]
    public async Task Variables_of_a_dashboard_are_filled()
    {
        Assert.Equal(["node-a", "node-b"], await ListAsync("label/host_id/values"));
        Assert.Equal(["node-a"], await ListAsync($"label/host_id/values?match[]=power_w&start={Now - 600}&end={Now}"));
        Assert.Equal(["0", "1"], await ListAsync("label/gpu/values?match[]=DCGM_FI_DEV_GPU_UTIL"));
        Assert.Equal([], await ListAsync($"label/host_id/values?start={Now - 86_400}&end={Now - 80_000}"));
        Assert.Equal([], await ListAsync("label/no_such_label/values"));
        var names = await ListAsync("label/__name__/values");
        Assert.Equal(["gpu_utilization", "memory_free_mb", "memory_used_mb", "power_w", "temperature_c"], names.Where(n => !n.StartsWith("DCGM", StringComparison.Ordinal)));
        Assert.Contains("DCGM_FI_DEV_POWER_USAGE", names);
        Assert.Equal(["__name__", "gpu_id", "host_id"], await ListAsync("labels?match[]=temperature_c"));
        var series = await PostAsync("series", ("match[]", "power_w"), ("match[]", "{__name__=~\"temp.*\"}"));
        Assert.Equal(["power_w", "temperature_c"], series.EnumerateArray().Select(s => s.GetProperty("__name__").GetString()));
        var cut = await fleet.Server.GetAsync("/prometheus/api/v1/label/host_id/values?limit=1");
        Assert.Equal("""{"status":"success","data":["node-a"],"warnings":["results truncated due to limit"]}""", cut.GetRawText());
    }

    [Theory]
    [InlineData("query", 400, "bad_data", "invalid parameter \"query\": is missing")]
    [InlineData("query?query=sum(", 400, "bad_data", "invalid parameter \"query\": 1:5: parse error: unexpected end of input where an expression should be")]
    [InlineData("query?query=x&time=tomorrow", 400, "bad_data", "invalid parameter \"time\": 'tomorrow' is not accepted: expected seconds since 1970")]
    [InlineData("query?query=deriv(x[5m])", 422, "execution", "invalid parameter \"query\": 1:1: the function deriv is not supported here")]
    [InlineData("query?query=gpu_utilization%2Bon(host_id)gpu_utilization&time=1752872390", 422, "execution", "many-to-many or many-to-one matching: more than one series on the right hand-side")]
    [InlineData("query_range?query=x&start=10&end=5&step=1", 400, "bad_data", "invalid parameter \"end\": end timestamp must not be before start time")]
    [InlineData("query_range?query=x&start=0&end=11001&step=1", 400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries")]
    [InlineData("query_range?query=x&start=0&end=1&step=0", 400, "bad_data", "invalid parameter \"step\": '0' is not accepted: expected seconds, or a duration")]
    [InlineData("query_range?query=x[5m]&start=0&end=1&step=1", 400, "bad_data", "invalid parameter \"query\": invalid expression type \"range vector\" for range query")]
    [InlineData("series", 400, "bad_data", "invalid parameter \"match[]\": is missing")]
    [InlineData("series?match[]=rate(x[5m])", 400, "bad_data", "invalid parameter \"match[]\": 1:1: parse error: expected a selector")]
    [InlineData("labels?start=5&end=1", 400, "bad_data", "invalid parameter \"end\": end timestamp must not be before start time")]
    [InlineData("label/a-b/values", 400, "bad_data", "invalid label name: \"a-b\"")]
    public async Task Errors_have_prometheus_envelope_and_status(string request, int status, string type, string text)
    {
        using var response = await fleet.Server.Client.GetAsync(new Uri($"/prometheus/api/v1/{request}", UriKind.Relative), Cancelled);
        await IsErrorAsync(response, status, type, text);
    }

    [Fact]
    public async Task A_query_that_takes_too_long_is_503()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path, QueryTimeout = TimeSpan.Zero });
        using var response = await server.Client.GetAsync(new Uri("/prometheus/api/v1/query?query=power_w", UriKind.Relative), Cancelled);
        await IsErrorAsync(response, 503, "timeout", "query timed out in expression evaluation after 0 s");
    }

    [Fact]
    public async Task A_body_that_is_no_form_is_415_and_other_routes_still_take_none()
    {
        using var json = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        using var response = await fleet.Server.Client.PostAsync(new Uri("/prometheus/api/v1/query", UriKind.Relative), json, Cancelled);
        await GatewayServer.ProblemAsync(response, 415);
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("match[]", "x")]);
        using var other = await fleet.Server.Client.PostAsync(new Uri("/prometheus/api/v1/label/a/values", UriKind.Relative), form, Cancelled);
        await GatewayServer.ProblemAsync(other, 405);
        using var large = new FormUrlEncodedContent([KeyValuePair.Create("query", new string('x', 70_000))]);
        using var refused = await fleet.Server.Client.PostAsync(new Uri("/prometheus/api/v1/query", UriKind.Relative), large, Cancelled);
        await IsErrorAsync(refused, 400, "bad_data", "the form cannot be read");
    }

    [Fact]
    public async Task A_gpu_whose_pod_has_changed_is_one_series_at_each_instant()
    {
        using var file = new StoreFile();
        var start = FleetFixture.First;
        var (before, after) = (FleetFixture.Busy with { Pod = "a" }, FleetFixture.Busy with { Pod = "b" });
        file.Write([.. Enumerable.Range(0, 20).Select(i => FleetFixture.Record(start.AddSeconds(10 * i), i < 10 ? before : after, ("power_w", 100)))]);
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path });
        var first = start.ToUnixTimeSeconds();
        var answer = await server.GetAsync($"/prometheus/api/v1/query_range?query=power_w&start={first}&end={first + 190}&step=10");
        Assert.Equal(["a 10", "b 10"], answer.GetProperty("data").GetProperty("result").EnumerateArray()
            .Select(s => $"{s.GetProperty("metric").GetProperty("pod")} {s.GetProperty("values").GetArrayLength()}"));
        // Also for one who asks for the old pod only.
        answer = await server.GetAsync($"/prometheus/api/v1/query?query=power_w%7Bpod=%22a%22%7D&time={first + 120}");
        Assert.Equal("[]", answer.GetProperty("data").GetProperty("result").GetRawText());
    }

    [Fact]
    public async Task A_counter_is_not_extended_to_before_it_was_0()
    {
        using var file = new StoreFile();
        var start = FleetFixture.First;
        // 1, 11, 21, … every ten seconds: at that pace it was 0 one second before the first sample.
        file.Write([.. Enumerable.Range(0, 6).Select(i => FleetFixture.Record(start.AddSeconds(10 * i), FleetFixture.Busy, ("energy_mj", 1 + (10 * i))))]);
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path });
        var answer = await server.GetAsync($"/prometheus/api/v1/query?query=increase(energy_mj[1m])&time={start.AddSeconds(52).ToUnixTimeSeconds()}");
        var value = answer.GetProperty("data").GetProperty("result")[0].GetProperty("value")[1].GetString()!;
        Assert.Equal(53, double.Parse(value, CultureInfo.InvariantCulture), 1e-9);
    }

    [Fact]
    public async Task The_document_tells_of_forms_and_of_prometheus_errors()
    {
        var document = await fleet.Server.GetAsync("/openapi/v1.json");
        foreach (var path in document.GetProperty("paths").EnumerateObject().Where(p => p.Name.StartsWith("/prometheus/", StringComparison.Ordinal)))
        {
            foreach (var operation in path.Value.EnumerateObject().Select(o => o.Value))
                Assert.Superset(new HashSet<string> { "200", "400", "422", "429", "500", "503" }, operation.GetProperty("responses").EnumerateObject().Select(r => r.Name).ToHashSet());
            if (!path.Value.TryGetProperty("post", out var post))
                continue;
            var get = path.Value.GetProperty("get");
            Assert.Equal(get.GetProperty("operationId").GetString() + "ByForm", post.GetProperty("operationId").GetString());
            var form = Assert.Single(post.GetProperty("requestBody").GetProperty("content").EnumerateObject());
            Assert.Equal("application/x-www-form-urlencoded", form.Name);
            Assert.Equal(
                get.GetProperty("parameters").EnumerateArray().Select(p => p.GetProperty("name").GetString()),
                form.Value.GetProperty("schema").GetProperty("properties").EnumerateObject().Select(p => p.Name));
        }
        var error = document.GetProperty("components").GetProperty("responses").GetProperty("PrometheusExecution").GetProperty("content").GetProperty("application/json");
        Assert.Equal("execution", error.GetProperty("example").GetProperty("errorType").GetString());
    }

    [Fact]
    public void Dcgms_names_are_those_that_the_streamer_knows() =>
        Assert.Equal(
            MetricCatalog.DcgmNames.Order(StringComparer.Ordinal).Select(name => (name, MetricCatalog.Find(name)?.Name)),
            Vocabulary.Dcgm.OrderBy(name => name.Key, StringComparer.Ordinal).Select(name => (name.Key, (string?)name.Value)));

    private static async Task IsErrorAsync(HttpResponseMessage response, int status, string type, string text)
    {
        var body = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True((int)response.StatusCode == status, body);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        var error = JsonElement.Parse(body);
        Assert.Equal(["status", "errorType", "error"], error.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("error", type), (error.GetProperty("status").GetString(), error.GetProperty("errorType").GetString()));
        Assert.StartsWith(text, error.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    private async Task<JsonElement> PostAsync(string route, params (string Name, string Value)[] form)
    {
        using var content = new FormUrlEncodedContent(form.Select(f => KeyValuePair.Create(f.Name, f.Value)));
        using var response = await fleet.Server.Client.PostAsync(new Uri($"/prometheus/api/v1/{route}", UriKind.Relative), content, Cancelled);
        var body = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        var answer = JsonElement.Parse(body);
        Assert.Equal("success", answer.GetProperty("status").GetString());
        return answer.GetProperty("data");
    }

    private async Task<JsonElement> DataAsync(string route) => (await fleet.Server.GetAsync($"/prometheus/api/v1/{route}")).GetProperty("data");

    private async Task<IReadOnlyList<string>> ListAsync(string route) => [.. (await DataAsync(route)).EnumerateArray().Select(v => v.GetString()!)];
}
