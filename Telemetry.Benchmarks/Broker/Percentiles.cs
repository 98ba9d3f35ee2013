namespace Telemetry.Benchmarks.Broker;

/// <summary>Percentiles of all values, by nearest rank.</summary>
internal static class Percentiles
{
    /// <summary>The value below or at which this share of the values is; sorts them.</summary>
    public static double Of(List<double> values, double share)
    {
        values.Sort();
        return values[Math.Clamp((int)Math.Ceiling(share * values.Count) - 1, 0, values.Count - 1)];
    }
}
