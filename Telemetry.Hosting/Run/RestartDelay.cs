namespace Telemetry.Hosting.Run;

/// <summary>The pause before a process is started again: doubled with each failure in a row, up to a bound.</summary>
internal sealed class RestartDelay(HostTimings timings)
{
    private TimeSpan _next = timings.RestartDelayMin;

    /// <summary>The pause after a process that ran for <paramref name="uptime"/>.</summary>
    public TimeSpan Next(TimeSpan uptime)
    {
        if (uptime >= timings.StableAfter)
            _next = timings.RestartDelayMin;
        var delay = _next;
        _next = delay * 2 < timings.RestartDelayMax ? delay * 2 : timings.RestartDelayMax;
        return delay;
    }
}
