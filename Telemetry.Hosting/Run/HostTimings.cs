namespace Telemetry.Hosting.Run;

/// <summary>How long the host waits for what.</summary>
internal sealed record HostTimings
{
    /// <summary>How long a process may take to stop before it is killed; longer than the services' own grace period of 25 s.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The pause before the first restart; it doubles with each failure after that.</summary>
    public TimeSpan RestartDelayMin { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause before a restart.</summary>
    public TimeSpan RestartDelayMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A process that has run that long has recovered: the next pause is the shortest again.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a replica is started that never becomes healthy, before it is given up.</summary>
    public int StartAttemptsMax { get; init; } = 5;

    /// <summary>The pause between the health checks of a replica that is not healthy: it decides how fast everything is up.</summary>
    public TimeSpan UnhealthyPollInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The pause between the health checks of a healthy replica.</summary>
    public TimeSpan HealthyPollInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a health check may take.</summary>
    public TimeSpan HealthCheckTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
