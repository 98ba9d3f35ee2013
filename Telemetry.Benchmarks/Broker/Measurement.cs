namespace Telemetry.Benchmarks.Broker;

/// <summary>What is compared.</summary>
/// <param name="Mode">When the broker acknowledges.</param>
/// <param name="Batch">Records of a batch.</param>
/// <param name="Producers">Producers, each with a connection of its own.</param>
internal sealed record BrokerCase(Durability Mode, int Batch, int Producers);

/// <summary>One line of the table; what was not measured in it is null.</summary>
internal sealed record Measurement
{
    /// <summary>publish, fetch, both or latency; with "QueueProducer" where that client did it.</summary>
    public required string Scenario { get; init; }

    /// <summary>What was compared.</summary>
    public required BrokerCase Case { get; init; }

    /// <summary>Records acknowledged a second.</summary>
    public double? In { get; init; }

    /// <summary>Records fetched a second.</summary>
    public double? Out { get; init; }

    /// <summary>From when a publish was due to its acknowledgement, in ms: median.</summary>
    public double? P50 { get; init; }

    /// <summary>The same: 99 of 100 are below.</summary>
    public double? P99 { get; init; }

    /// <summary>The same: 999 of 1,000 are below.</summary>
    public double? P999 { get; init; }

    /// <summary>The same: the longest.</summary>
    public double? Max { get; init; }

    /// <summary>Bytes that the broker's runtime allocated for a record.</summary>
    public double? AllocatedBytes { get; init; }

    /// <summary>The broker's CPU time for a record, in ns.</summary>
    public double? CpuNs { get; init; }

    /// <summary>Syncs a second.</summary>
    public double? Syncs { get; init; }

    /// <summary>The line in the middle of several runs, each figure for itself.</summary>
    public static Measurement Median(IReadOnlyList<Measurement> runs) => runs[0] with
    {
        In = Middle(runs, run => run.In),
        Out = Middle(runs, run => run.Out),
        P50 = Middle(runs, run => run.P50),
        P99 = Middle(runs, run => run.P99),
        P999 = Middle(runs, run => run.P999),
        Max = Middle(runs, run => run.Max),
        AllocatedBytes = Middle(runs, run => run.AllocatedBytes),
        CpuNs = Middle(runs, run => run.CpuNs),
        Syncs = Middle(runs, run => run.Syncs),
    };

    private static double? Middle(IReadOnlyList<Measurement> runs, Func<Measurement, double?> figure)
    {
        var figures = runs.Select(figure).OfType<double>().ToList();
        return figures.Count == 0 ? null : Percentiles.Of(figures, 0.5);
    }
}
