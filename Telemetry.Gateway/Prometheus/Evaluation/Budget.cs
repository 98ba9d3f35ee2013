using Telemetry.Gateway.Prometheus.PromQl;

namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>Bounds what a query may use. Its time is bounded by the gateway's limit for all queries.</summary>
/// <param name="samplesMax">The most samples that are read.</param>
/// <param name="pointsMax">The most points that are in memory at a time.</param>
internal sealed class Budget(long samplesMax, long pointsMax)
{
    private long _samples;
    private long _points;

    /// <summary>Counts samples that were read.</summary>
    /// <exception cref="PromQlException">They are too many.</exception>
    public void Read(int samples)
    {
        if ((_samples += samples) > samplesMax)
            throw PromQlException.Impossible($"the query reads more than {samplesMax} samples: ask for fewer series or a shorter range");
    }

    /// <summary>Counts points that are kept.</summary>
    /// <exception cref="PromQlException">They are too many.</exception>
    public void Keep(int points)
    {
        if ((_points += points) > pointsMax)
            throw PromQlException.Impossible($"the query keeps more than {pointsMax} points in memory: ask for fewer series, a shorter range or a longer step");
    }
}
