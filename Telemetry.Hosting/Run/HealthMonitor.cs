using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Telemetry.Hosting.Run;

/// <summary>Asks a replica for its health as long as its process runs.</summary>
internal sealed class HealthMonitor(HttpClient client, HostTimings timings, TimeProvider time)
{
    /// <summary>Reports every change of the status, and of why it is not healthy. Runs until it is cancelled.</summary>
    public async Task RunAsync(IReadOnlyList<PlannedHealthCheck> checks, Action<HealthStatus, string> changed, CancellationToken cancellationToken)
    {
        var latest = (HealthStatus.Unhealthy, "");
        while (true)
        {
            var (status, reason) = await CheckAsync(checks, cancellationToken);
            if ((status, reason) != latest)
            {
                latest = (status, reason);
                changed(status, reason);
            }
            await Task.Delay(status == HealthStatus.Healthy ? timings.HealthyPollInterval : timings.UnhealthyPollInterval, time, cancellationToken);
        }
    }

    private async Task<(HealthStatus Status, string Reason)> CheckAsync(IReadOnlyList<PlannedHealthCheck> checks, CancellationToken cancellationToken)
    {
        foreach (var check in checks)
        {
            if (await ProblemAsync(check, cancellationToken) is { } problem)
                return (HealthStatus.Unhealthy, $"GET {check.Address}: {problem}");
        }
        return (HealthStatus.Healthy, "");
    }

    private async Task<string?> ProblemAsync(PlannedHealthCheck check, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timings.HealthCheckTimeout);
        try
        {
            using var response = await client.GetAsync(check.Address, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            var status = (int)response.StatusCode;
            return status == check.StatusCode ? null : string.Create(CultureInfo.InvariantCulture, $"status {status} instead of {check.StatusCode}");
        }
        catch (HttpRequestException error)
        {
            return error.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"no answer within {timings.HealthCheckTimeout.TotalSeconds:0.#} s");
        }
    }
}
