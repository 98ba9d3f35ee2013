using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Telemetry.Tests.Probe;

namespace Telemetry.Tests.Hosting;

public sealed class ModelTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder([]);

    [Theory]
    [InlineData("")]
    [InlineData("1st")]
    [InlineData("a_b")]
    [InlineData("a--b")]
    [InlineData("a-")]
    [InlineData("größe")]
    [InlineData("a2345678901234567890123456789012345678901234567890123456789012345")]
    public void A_name_that_cannot_be_used_everywhere_is_refused(string name) =>
        Assert.Contains("is not a resource name", Assert.Throws<ArgumentException>(() => Add(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void Names_of_resources_are_unique_without_regard_to_case()
    {
        Add("broker");
        Assert.Equal("there are two resources 'Broker'; names do not differ by case only", Assert.Throws<DistributedApplicationException>(() => Add("Broker")).Message);
    }

    [Fact]
    public void Names_of_endpoints_are_unique_in_a_resource()
    {
        var probe = Add("probe").WithHttpEndpoint();
        Assert.Equal("resource probe has two endpoints 'http'", Assert.Throws<DistributedApplicationException>(() => probe.WithHttpEndpoint()).Message);
    }

    [Fact]
    public void WithEndpoint_changes_an_endpoint_or_adds_it()
    {
        var probe = Add("probe").WithHttpEndpoint(name: "grpc");
        probe.WithEndpoint("grpc", endpoint => endpoint.Transport = "http2");
        probe.WithEndpoint("raw", endpoint => endpoint.Port = 9000);
        probe.WithEndpoint("absent", endpoint => endpoint.Port = 9001, createIfNotExists: false);

        var endpoints = probe.Resource.Annotations.OfType<EndpointAnnotation>().ToDictionary(endpoint => endpoint.Name);
        Assert.Equal(["grpc", "raw"], endpoints.Keys.Order());
        Assert.Equal(("http", "http2"), (endpoints["grpc"].UriScheme, endpoints["grpc"].Transport));
        Assert.Equal(("tcp", "tcp", 9000), (endpoints["raw"].UriScheme, endpoints["raw"].Transport, endpoints["raw"].Port));
    }

    [Fact]
    public void Only_http_endpoints_are_made_external()
    {
        var probe = Add("probe").WithHttpEndpoint().WithEndpoint("raw", _ => { }).WithExternalHttpEndpoints();
        Assert.Equal(["http"], probe.Resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.IsExternal).Select(endpoint => endpoint.Name));
    }

    [Fact]
    public void An_address_is_known_only_once_the_application_has_started()
    {
        var endpoint = Add("probe").WithHttpEndpoint().GetEndpoint("http");
        Assert.True(endpoint.Exists);
        Assert.False(endpoint.IsAllocated);
        Assert.Equal("the endpoint 'http' of 'probe' has no address before the application has started", Assert.Throws<InvalidOperationException>(() => endpoint.Url).Message);
    }

    [Fact]
    public void An_endpoint_that_does_not_exist_is_named()
    {
        var endpoint = Add("probe").GetEndpoint("http");
        Assert.False(endpoint.Exists);
        Assert.Equal("resource probe has no endpoint 'http'", Assert.Throws<DistributedApplicationException>(() => endpoint.Url).Message);
    }

    [Fact]
    public void A_launch_profile_is_refused() =>
        Assert.Throws<NotSupportedException>(() => _builder.AddProject<ProbeProject>("probe", launchProfileName: "http"));

    [Fact]
    public void A_resource_has_at_least_one_replica() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Add("probe").WithReplicas(0));

    [Fact]
    public async Task A_health_check_needs_an_endpoint()
    {
        await using var host = new TestHost();
        host.Builder.AddProject<ProbeProject>("probe", launchProfileName: null).WithHttpHealthCheck("/health");
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(host.StartAsync);
        Assert.Equal("resource probe has no endpoint 'http' for its health check", error.Message);
    }

    [Fact]
    public async Task Publishing_is_not_taken_for_running()
    {
        await using var host = new TestHost("--operation", "publish");
        host.AddProbe("probe");
        Assert.True(host.Builder.ExecutionContext.IsPublishMode);
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(host.StartAsync);
        Assert.Equal("there is nothing to publish for: AppHost.cs adds no Kubernetes environment", error.Message);
        Assert.Empty(host.Lines.Lines);
    }

    private IResourceBuilder<ProjectResource> Add(string name) => _builder.AddProject<ProbeProject>(name, launchProfileName: null);
}
