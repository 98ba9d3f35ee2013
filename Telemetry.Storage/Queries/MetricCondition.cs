namespace Telemetry.Storage.Queries;

/// <summary>What may be true of a metric's value: it lies in [<paramref name="AtLeast"/>, <paramref name="Below"/>), or has a bit of a mask.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="AtLeast">The smallest value that fulfils it.</param>
/// <param name="Below">The smallest value above that does not.</param>
/// <param name="Mask">Instead of the bounds: bits of which the value, taken as a whole number, has one; 0 for the bounds.</param>
public sealed record MetricCondition(
    string Metric, double AtLeast = double.NegativeInfinity, double Below = double.PositiveInfinity, long Mask = 0)
{
    /// <summary>Whether a value fulfils it.</summary>
    public bool Holds(double value) => Mask != 0 ? ((long)value & Mask) != 0 : value >= AtLeast && value < Below;

    /// <summary>Whether all values between two do (true) or none does (false); null where that cannot be told.</summary>
    internal bool? HoldsBetween(double min, double max)
    {
        if (Mask != 0)
            return min == max ? Holds(min) : null;
        if (max < AtLeast || min >= Below)
            return false;
        return Holds(min) && Holds(max) ? true : null;
    }
}

/// <summary>A GPU by its host and index.</summary>
public readonly record struct GpuKey(string HostId, string GpuId);

/// <summary>Since when a condition has been fulfilled without a break.</summary>
/// <param name="Since">The first record of it.</param>
/// <param name="IsAtLeast">Whether no record against it was found in the range, so that it may have begun before.</param>
public sealed record ConditionRun(DateTimeOffset Since, bool IsAtLeast);

/// <summary>A question for <see cref="TelemetryReader.RunsAsync"/>.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Gpus">The GPUs that may fulfil it.</param>
public sealed record ConditionQuery(MetricCondition Condition, IReadOnlyCollection<GpuKey> Gpus);

/// <summary>Records of a GPU, one after the other, with the same value of a metric.</summary>
/// <param name="Gpu">The GPU.</param>
/// <param name="Value">The value; not 0.</param>
/// <param name="First">The time of the first.</param>
/// <param name="Last">The time of the last.</param>
/// <param name="Records">How many.</param>
/// <param name="IsFromStart">Whether the GPU's first record in the range is one of them, so that it may have begun before.</param>
public sealed record ValueRun(GpuKey Gpu, double Value, DateTimeOffset First, DateTimeOffset Last, long Records, bool IsFromStart);
