namespace Telemetry.Broker.Log;

/// <summary>Counts events a second over the last minute. Not thread-safe.</summary>
internal sealed class RateMeter
{
    private const int Seconds = 60;

    private readonly long[] _counts = new long[Seconds];
    private long _second;
    private long _firstSecond = -1;

    /// <summary>Counts events at a log time.</summary>
    public void Add(long nowLogMs, long count)
    {
        MoveTo(nowLogMs / 1000);
        _counts[_second % Seconds] += count;
    }

    /// <summary>Events a second over the last minute, or since the first event where that is less.</summary>
    public double PerSecond(long nowLogMs)
    {
        MoveTo(nowLogMs / 1000);
        return (double)_counts.Sum() / Math.Clamp(_second - _firstSecond + 1, 1, Seconds);
    }

    private void MoveTo(long second)
    {
        if (_firstSecond < 0)
            _firstSecond = _second = second;
        for (var passed = Math.Max(_second + 1, second - Seconds + 1); passed <= second; passed++)
            _counts[passed % Seconds] = 0;
        _second = Math.Max(_second, second);
    }
}
