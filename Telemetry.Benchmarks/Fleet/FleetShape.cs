namespace Telemetry.Benchmarks.Fleet;

/// <summary>What a simulated fleet looks like.</summary>
public sealed record FleetShape
{
    /// <summary>Hosts.</summary>
    public int Hosts { get; init; } = 8;

    /// <summary>GPUs on each host.</summary>
    public int GpusPerHost { get; init; } = 8;

    /// <summary>Observations of each GPU.</summary>
    public int Steps { get; init; } = 60;

    /// <summary>The time between two observations of a GPU.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time of the first observation.</summary>
    public DateTimeOffset Start { get; init; } = new(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);

    /// <summary>The same seed gives the same fleet, byte for byte.</summary>
    public int Seed { get; init; } = 1;
}
