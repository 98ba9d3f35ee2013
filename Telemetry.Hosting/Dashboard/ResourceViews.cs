using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Dashboard;

/// <summary>Describes the resources as they are now, without secrets.</summary>
internal sealed class ResourceViews(Supervisor supervisor, string application, TimeProvider time)
{
    private Masking? _masking;

    /// <summary>The application as it is now.</summary>
    public ApplicationView Now()
    {
        var resources = supervisor.Resources;
        // Variables do not change while the application runs.
        _masking ??= new Masking(resources.SelectMany(resource => resource.Plan.Replicas).SelectMany(replica => replica.Secrets));
        var receiver = resources.SelectMany(resource => resource.Plan.Replicas)
            .Select(replica => replica.Environment.GetValueOrDefault("OTEL_EXPORTER_OTLP_ENDPOINT"))
            .FirstOrDefault(value => value is not null);
        return new ApplicationView(
            application, time.GetUtcNow(), receiver is null ? null : _masking.Text(receiver), [.. resources.Select(resource => View(resource, resources, _masking))]);
    }

    private static ResourceView View(RunningResource resource, IReadOnlyList<RunningResource> all, Masking masking)
    {
        var endpoints = resource.Plan.Endpoints.Select(endpoint => Address(endpoint.Annotation, endpoint.Outer.Port));
        var urls = ReadyReport.Addresses(resource.Plan)
            .Select(address => new AddressView(address.Name, masking.Text(address.Address), IsLink(address.Address)))
            .Where(url => endpoints.All(endpoint => endpoint.Url != url.Url));
        return new ResourceView(
            resource.Plan.Name, [.. resource.Replicas.Select(replica => View(replica, resource.Plan, all, masking))], [.. endpoints], [.. urls],
            [.. resource.Plan.Dependencies.Select(dependency => dependency.Name)], MetricsScraper.EndpointOf(resource.Plan) is not null);
    }

    private static ReplicaView View(Replica replica, PlannedResource plan, IReadOnlyList<RunningResource> all, Masking masking)
    {
        var status = replica.Status;
        var unhealthy = all.Where(other => plan.Dependencies.Contains(other.Plan) && !other.IsHealthy).Select(other => other.Plan.Name);
        var (state, kind, detail) = Describe(status, unhealthy);
        var isPausing = status.State == KnownResourceStates.Exited && status.NextStart is not null;
        var isRunning = status.State == KnownResourceStates.Running || status.State == KnownResourceStates.Starting;
        return new ReplicaView(
            replica.Id, state, kind, detail, isRunning || isPausing || status.State == KnownResourceStates.Waiting,
            !isRunning && status.State != KnownResourceStates.Stopping, status.ProcessId, status.Snapshot.StartTimeStamp, status.Snapshot.StopTimeStamp,
            status.NextStart, status.Restarts, status.Snapshot.ExitCode,
            [.. plan.Endpoints.Where(endpoint => endpoint.HasProxy).Select(endpoint => Address(endpoint.Annotation, endpoint.TargetPorts[replica.Index].Port))],
            [.. replica.Plan.Environment.OrderBy(variable => variable.Key, StringComparer.Ordinal).Select(variable => masking.Variable(variable.Key, variable.Value))]);
    }

    /// <summary>A state in the words of the page, how good it is, and why.</summary>
    internal static (string State, string Kind, string Detail) Describe(ReplicaStatus status, IEnumerable<string> waitsFor)
    {
        var exit = status.Snapshot.ExitCode is { } code ? string.Create(CultureInfo.InvariantCulture, $"exit code {code}") : "";
        if (status.IsHealthy)
            return ("Running", "ok", "");
        if (status.State == KnownResourceStates.Running)
            return status.WasHealthy ? ("Unhealthy", "bad", status.HealthReason) : ("Starting", "busy", status.HealthReason);
        if (status.State == KnownResourceStates.Waiting)
            return ("Waiting", "busy", $"for {string.Join(", ", waitsFor)}");
        if (status.State == KnownResourceStates.FailedToStart)
            return ("Failed", "bad", exit);
        if (status.State == KnownResourceStates.Finished)
            return ("Finished", "off", "");
        if (status.State == KnownResourceStates.Exited)
            return status.IsStopped ? ("Stopped", "off", "") : status.NextStart is null ? ("Exited", "bad", exit) : ("Restarting", "bad", exit);
        return status.State == KnownResourceStates.NotStarted ? ("Not started", "off", "") : (status.State, "busy", "");
    }

    private static AddressView Address(EndpointAnnotation endpoint, int port)
    {
        var url = string.Create(CultureInfo.InvariantCulture, $"{endpoint.UriScheme}://localhost:{port}");
        // gRPC answers no browser.
        return new AddressView(endpoint.Name, url, IsLink(url) && endpoint.Transport == "http");
    }

    // Never a script, and a browser opens no local file from a page.
    private static bool IsLink(string address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is ("http" or "https");
}
