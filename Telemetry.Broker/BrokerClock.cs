namespace Telemetry.Broker;

/// <summary>
/// The broker's two clocks. Wall time is for people and may jump. Log time decides about age and waits: it starts at the
/// wall time of the broker's start and then follows the monotonic clock, so that a wall clock that jumps expires nothing
/// and ends no wait. Both are milliseconds since 1970-01-01 UTC.
/// </summary>
internal sealed class BrokerClock
{
    private readonly TimeProvider _time;
    private readonly long _startTimestamp;
    private readonly long _startUnixMs;

    public BrokerClock(TimeProvider time)
    {
        _time = time;
        _startTimestamp = time.GetTimestamp();
        _startUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>Wall time.</summary>
    public long UnixMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Log time: never goes back and never jumps while the broker runs.</summary>
    public long LogMs => _startUnixMs + (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds;
}
