using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Telemetry.Hosting.Run;
using Telemetry.Tests.Probe;

namespace Telemetry.Tests.Hosting;

public sealed class EnvironmentTests
{
    [Fact]
    public async Task A_reference_tells_the_addresses_in_all_forms()
    {
        var builder = DistributedApplication.CreateBuilder([]);
        var back = Add(builder, "data-store").WithHttpEndpoint(name: "http", env: "PORT").WithHttpEndpoint(name: "grpc", env: "PORT");
        Add(builder, "front").WithReference(back).WithEnvironment("MESSAGEQUEUE_ADDR", back.GetEndpoint("grpc"));

        var front = (await EnvironmentsAsync(builder))["front-0"];
        var (http, grpc) = (back.GetEndpoint("http").Url, back.GetEndpoint("grpc").Url);
        Assert.Matches("^http://localhost:[0-9]+$", grpc);
        Assert.NotEqual(http, grpc);
        Assert.Equal(grpc, front["MESSAGEQUEUE_ADDR"]);
        Assert.Equal(grpc, front["DATA_STORE_GRPC"]);
        Assert.Equal(http, front["DATA_STORE_HTTP"]);
        Assert.Equal(grpc, front["services__data-store__grpc__0"]);
        Assert.Equal(http, front["services__data-store__http__0"]);
        Assert.Equal(grpc, front["services__data-store__http__1"]);
    }

    [Fact]
    public async Task Each_endpoint_is_told_by_its_own_variable()
    {
        var builder = DistributedApplication.CreateBuilder([]);
        var probe = Add(builder, "probe").WithHttpEndpoint(name: "http", env: "METRICS_PORT").WithHttpEndpoint(name: "grpc", env: "PORT").WithHttpEndpoint(name: "a").WithHttpEndpoint(name: "b");

        var environment = (await EnvironmentsAsync(builder))["probe-0"];
        Assert.Equal($"{probe.GetEndpoint("http").Port}", environment["METRICS_PORT"]);
        Assert.Equal($"{probe.GetEndpoint("grpc").Port}", environment["PORT"]);
        Assert.Equal($"{probe.GetEndpoint("a").Url};{probe.GetEndpoint("b").Url}", environment["ASPNETCORE_URLS"]);
        Assert.Equal("simple", environment["LOGGING__CONSOLE__FORMATTERNAME"]);
    }

    [Fact]
    public async Task A_telemetry_receiver_is_passed_on_only_where_one_is_configured()
    {
        var without = DistributedApplication.CreateBuilder([]);
        Add(without, "probe");
        Assert.DoesNotContain((await EnvironmentsAsync(without))["probe-0"].Keys, name => name.StartsWith("OTEL_", StringComparison.Ordinal));

        var with = DistributedApplication.CreateBuilder(["--OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317", "--OTEL_EXPORTER_OTLP_HEADERS=x-key=1"]);
        Add(with, "probe").WithReplicas(2);
        var environment = (await EnvironmentsAsync(with))["probe-1"];
        Assert.Equal("http://localhost:4317", environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        Assert.Equal("grpc", environment["OTEL_EXPORTER_OTLP_PROTOCOL"]);
        Assert.Equal("x-key=1", environment["OTEL_EXPORTER_OTLP_HEADERS"]);
        Assert.Equal("probe", environment["OTEL_SERVICE_NAME"]);
        Assert.Equal("service.instance.id=probe-1", environment["OTEL_RESOURCE_ATTRIBUTES"]);
    }

    [Fact]
    public async Task A_parameter_comes_from_the_configuration_or_the_model()
    {
        var builder = DistributedApplication.CreateBuilder(["--Parameters:api-key=from the command line"]);
        Add(builder, "probe")
            .WithEnvironment("KEY", builder.AddParameter("api-key", secret: true))
            .WithEnvironment("REGION", builder.AddParameter("region", "north"))
            .WithEnvironment("EMPTY", (string?)null);

        var environment = (await EnvironmentsAsync(builder))["probe-0"];
        Assert.Equal("from the command line", environment["KEY"]);
        Assert.Equal("north", environment["REGION"]);
        Assert.Equal("", environment["EMPTY"]);
    }

    [Fact]
    public async Task A_parameter_without_a_value_is_named_before_anything_is_started()
    {
        var builder = DistributedApplication.CreateBuilder([]);
        Add(builder, "probe").WithEnvironment("KEY", builder.AddParameter("api-key"));

        var error = await Assert.ThrowsAsync<DistributedApplicationException>(() => EnvironmentsAsync(builder));
        Assert.Equal("parameter api-key has no value: --Parameters:api-key=…, or the environment variable Parameters__api_key", error.Message);
    }

    [Fact]
    public async Task A_later_setting_wins_also_over_the_hosts_own()
    {
        var builder = DistributedApplication.CreateBuilder([]);
        Add(builder, "probe").WithEnvironment("A", "1").WithEnvironment("A", "2").WithEnvironment("LOGGING__CONSOLE__FORMATTERNAME", "json");

        var environment = (await EnvironmentsAsync(builder))["probe-0"];
        Assert.Equal("2", environment["A"]);
        Assert.Equal("json", environment["LOGGING__CONSOLE__FORMATTERNAME"]);
    }

    [Fact]
    public void The_hosts_own_addresses_and_environment_are_not_inherited()
    {
        Assert.All(["ASPNETCORE_URLS", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"], name => Assert.True(ReplicaEnvironment.IsOfHost(name)));
        Assert.All(["PATH", "LOG_LEVEL", "DOTNET_ROOT"], name => Assert.False(ReplicaEnvironment.IsOfHost(name)));
    }

    [Fact]
    public void Host_and_services_agree_on_the_lifeline()
    {
        Assert.Equal(Telemetry.ServiceDefaults.Lifeline.Variable, ReplicaEnvironment.LifelineVariable);
        Assert.Equal(Telemetry.ServiceDefaults.Lifeline.Stdin, ReplicaEnvironment.LifelineStdin);
    }

    private static IResourceBuilder<ProjectResource> Add(IDistributedApplicationBuilder builder, string name) =>
        builder.AddProject<ProbeProject>(name, launchProfileName: null);

    private static async Task<Dictionary<string, Dictionary<string, string>>> EnvironmentsAsync(IDistributedApplicationBuilder builder)
    {
        using var plan = await RunPlan.CreateAsync(builder.Resources, builder.Configuration, builder.ExecutionContext, TestContext.Current.CancellationToken);
        return plan.Resources.SelectMany(resource => resource.Replicas).ToDictionary(replica => replica.Id, replica => replica.Environment);
    }
}
