using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Queue;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Http;

/// <summary>What a route's answer is made of: its parameters, the store, the queue and the time.</summary>
/// <param name="Http">The request.</param>
/// <param name="Values">Its parameters.</param>
/// <param name="Services">The sources.</param>
/// <param name="Stop">Ends the work when the client has gone or the query takes too long.</param>
public sealed record ApiRequest(HttpContext Http, ParameterValues Values, GatewaySources Services, CancellationToken Stop)
{
    /// <summary>The store.</summary>
    public TelemetryReader Store => Services.Store;

    /// <summary>The time of the request.</summary>
    public DateTimeOffset Now => Services.Time.GetUtcNow();

    /// <summary>A parameter's value, or its default.</summary>
    public T Get<T>(Parameter<T> parameter) => Values.Get(parameter);

    /// <summary>Refuses a host that the store does not know, or a GPU that the host does not have; null is anything.</summary>
    /// <exception cref="ProblemException">Not known.</exception>
    public async Task<IReadOnlyList<GpuRow>> KnownGpusAsync(string hostId, string? gpuId)
    {
        var gpus = await Store.GpusAsync(hostId, Stop);
        if (gpus.Count == 0)
            throw Problems.UnknownHost(hostId);
        if (gpuId is not null && !gpus.Any(g => g.Gpu.GpuId == gpuId))
            throw Problems.UnknownGpu(hostId, gpuId);
        return gpus;
    }
}

/// <summary>What the gateway reads from.</summary>
/// <param name="Store">The store.</param>
/// <param name="Queue">The queue; null where none is configured.</param>
/// <param name="Insights">States and findings.</param>
/// <param name="Time">The clock.</param>
/// <param name="Options">The limits.</param>
/// <param name="Rules">When a GPU is idle, hot, failing or lost.</param>
public sealed record GatewaySources(
    TelemetryReader Store, QueueReader? Queue, FleetInsights Insights, TimeProvider Time, GatewayOptions Options, FleetRules Rules)
{
    /// <summary>
    /// A place for each query of PromQL that is evaluated or whose result is being written: each may hold ten million points.
    /// </summary>
    internal SemaphoreSlim PromQlPlaces { get; } = new(Math.Max(4, Environment.ProcessorCount));
}
