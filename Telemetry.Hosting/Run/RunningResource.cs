namespace Telemetry.Hosting.Run;

/// <summary>A resource with the replicas that keep its processes running.</summary>
internal sealed record RunningResource(PlannedResource Plan, IReadOnlyList<Replica> Replicas)
{
    /// <summary>Whether every replica runs and is healthy.</summary>
    public bool IsHealthy => Replicas.All(replica => replica.Status.IsHealthy);
}
