using Aspire.Hosting;
using Telemetry.Hosting.Dashboard;

namespace Telemetry.Tests.Hosting;

public sealed class DashboardViewTests
{
    [Theory]
    [InlineData("API_KEY", "abc", Masking.Mask)]
    [InlineData("GitHub_Token", "abc", Masking.Mask)]
    [InlineData("CLIENT_SECRET_FILE", "/run/secret", Masking.Mask)]
    [InlineData("DB_PASSWORD", "abc", Masking.Mask)]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "authorization=abc", Masking.Mask)]
    [InlineData("API_KEY", "", "")]
    [InlineData("PORT", "9090", "9090")]
    [InlineData("REGION", "the value of a parameter", $"the {Masking.Mask}")]
    [InlineData("ConnectionStrings__postgres", "Host=db;Password=a b;Port=1", $"Host=db;Password={Masking.Mask};Port=1")]
    [InlineData("ConnectionStrings__postgres", "Host=db;Password=\"a;b\";Port=1", $"Host=db;Password={Masking.Mask};Port=1")]
    [InlineData("ConnectionStrings__postgres", "Host=db;pwd='x''y;z';Port=1", $"Host=db;pwd={Masking.Mask};Port=1")]
    [InlineData("ConnectionStrings__bus", "Endpoint=sb://x/;SharedAccessKey=abc=;Name=n", $"Endpoint=sb://x/;SharedAccessKey={Masking.Mask};Name=n")]
    [InlineData("STORE", "postgres://user:p@ss@db:5432/x", $"postgres://user:{Masking.Mask}@db:5432/x")]
    [InlineData("STORE", "http://localhost:9090/a@b", "http://localhost:9090/a@b")]
    public void A_secret_is_masked_by_name_and_by_value(string name, string value, string shown)
    {
        var variable = new Masking(["value of a parameter", ""]).Variable(name, value);
        Assert.Equal(shown, variable.Value);
        Assert.Equal(shown != value, variable.IsMasked);
    }

    [Fact]
    public async Task Secrets_are_not_sent()
    {
        await using var host = new TestHost([.. DashboardClient.Args, "--Parameters:api=s3cret-value"]);
        var secret = host.Builder.AddParameter("api", secret: true);
        host.AddProbe("probe").WithEnvironment("UNSUSPICIOUS", secret).WithEnvironment("ACCESS_TOKEN", "t0ken-value").WithEnvironment("REGION", "north")
            .WithUrl("http://user:passw0rd@localhost/", "with a password").WithUrl("javascript:alert(1)", "no link");
        await host.StartAsync();
        using var dashboard = await DashboardClient.SignInAsync(host);

        var text = await dashboard.Http.GetStringAsync("/api/resources", host.Limit);
        Assert.DoesNotContain("s3cret-value", text, StringComparison.Ordinal);
        Assert.DoesNotContain("t0ken-value", text, StringComparison.Ordinal);
        Assert.DoesNotContain("passw0rd", text, StringComparison.Ordinal);
        var variables = (await dashboard.ReplicaAsync("probe-0")).GetProperty("environment").EnumerateArray()
            .ToDictionary(variable => variable.GetProperty("name").GetString()!, variable => variable);
        Assert.True(variables["UNSUSPICIOUS"].GetProperty("isMasked").GetBoolean());
        Assert.Equal("north", variables["REGION"].GetProperty("value").GetString());
        var urls = (await dashboard.JsonAsync("/api/resources")).GetProperty("resources")[0].GetProperty("urls").EnumerateArray()
            .ToDictionary(url => url.GetProperty("name").GetString()!, url => url.GetProperty("isLink").GetBoolean());
        Assert.True(urls["with a password"]);
        Assert.False(urls["no link"]);
    }

    [Fact]
    public async Task Metrics_are_asked_of_every_replica_that_runs()
    {
        await using var host = new TestHost(DashboardClient.Args);
        host.AddProbe("probe").WithReplicas(2);
        await host.StartAsync();
        await host.HealthyAsync("probe");
        using var dashboard = await DashboardClient.SignInAsync(host);
        await dashboard.CommandAsync("/api/replicas/probe-1/stop");
        await dashboard.ReplicaAsync("probe-1", "Stopped");

        var replicas = (await dashboard.JsonAsync("/api/metrics/probe")).GetProperty("replicas");
        var samples = replicas[0].GetProperty("samples").EnumerateArray().ToList();
        Assert.Contains(samples, sample => sample.GetProperty("name").GetString() == "dotnet_process_cpu_count" && sample.GetProperty("value").GetDouble() >= 1);
        Assert.Equal("it does not run", replicas[1].GetProperty("problem").GetString());
    }

    [Fact]
    public void Metrics_are_read_as_prometheus_writes_them()
    {
        var (samples, isCut) = PrometheusText.Parse("""
            # HELP sent_total Records\nsent.
            # TYPE sent_total counter
            sent_total{otel_scope_name="x",path="a,}\"b\\"} 12 1700000000
            # TYPE took_seconds histogram
            took_seconds_bucket{le="0.1"} 3
            took_seconds_bucket{le="+Inf"} 4
            took_seconds_sum 1.5e-1
            took_seconds_count 4
            free_value NaN
            limit +Inf

            this is no sample
            broken{a="b 1
            """, 10);
        Assert.False(isCut);
        Assert.Equal(
            [
                new MetricSample("sent_total", "counter", "Records sent.", "path=\"a,}\\\"b\\\\\"", 12, null),
                new MetricSample("took_seconds", "histogram", "", "", 4, 0.15),
                new MetricSample("free_value", "untyped", "", "", double.NaN, null),
                new MetricSample("limit", "untyped", "", "", double.PositiveInfinity, null),
            ],
            samples);
    }

    [Fact]
    public void Of_too_many_metrics_the_first_are_shown()
    {
        var (samples, isCut) = PrometheusText.Parse(string.Concat(Enumerable.Range(0, 12).Select(i => $"m{i} 1\n")), 10);
        Assert.True(isCut);
        Assert.Equal(10, samples.Count);
    }
}
