using System.Globalization;
using Aspire.Hosting;
using Telemetry.Hosting;

namespace Telemetry.Tests.Probe;

/// <summary>This very program as a project of a host.</summary>
public class ProbeProject : IProjectMetadata, IBuiltProject
{
    /// <inheritdoc/>
    public string ProjectPath => Path.Combine(AppContext.BaseDirectory, "Telemetry.Tests.Probe.csproj");

    /// <inheritdoc/>
    public virtual string AssemblyPath => Path.Combine(AppContext.BaseDirectory, "Telemetry.Tests.Probe.dll");
}

/// <summary>A project that was not built.</summary>
public sealed class MissingProject : ProbeProject
{
    /// <inheritdoc/>
    public override string AssemblyPath => Path.Combine(AppContext.BaseDirectory, "missing", "Missing.dll");
}

/// <summary>An AppHost: <c>back</c>, and two replicas of <c>front</c> that wait for it.</summary>
internal static class ProbeHost
{
    public static async Task<int> RunAsync(string[] args)
    {
        var builder = DistributedApplication.CreateBuilder(args);
        var back = builder.AddProject<ProbeProject>("back", launchProfileName: null)
            .WithHttpEndpoint(name: "http", env: "PORT")
            .WithHttpHealthCheck("/health")
            .WithEnvironment("PROBE_HANGS", builder.Configuration["Hangs"] ?? "false")
            .WithEnvironment("PROBE_EXIT", builder.Configuration["BackExit"] ?? "-1");
        var front = builder.AddProject<ProbeProject>("front", launchProfileName: null)
            .WithReplicas(2)
            .WithHttpEndpoint(name: "http", env: "PORT", port: builder.Configuration["FrontPort"] is { } port ? int.Parse(port, CultureInfo.InvariantCulture) : null)
            .WithExternalHttpEndpoints()
            .WithHttpHealthCheck("/health")
            .WithEnvironment("PROBE_STOP_WAITS_FOR", builder.Configuration["FrontStopWaitsFor"] ?? "")
            .WithReference(back)
            .WaitFor(back);
        if (builder.Configuration["Missing"] == "true")
            builder.AddProject<MissingProject>("missing", launchProfileName: null).WaitFor(front);
        await builder.Build().RunAsync();
        return Environment.ExitCode;
    }
}
