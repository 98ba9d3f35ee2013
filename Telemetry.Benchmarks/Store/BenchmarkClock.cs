using System.Diagnostics;

namespace Telemetry.Benchmarks.Store;

/// <summary>A clock that stands where it is set, until it runs: in real time, or faster.</summary>
internal sealed class BenchmarkClock : TimeProvider
{
    /// <summary>When histories begin.</summary>
    public static readonly DateTimeOffset Start = new(2026, 11, 5, 8, 0, 0, TimeSpan.Zero);

    private DateTimeOffset _at = Start;
    private long _began;
    private double _speed;

    /// <summary>Sets it.</summary>
    public void Set(DateTimeOffset now) => (_at, _began) = (now, Stopwatch.GetTimestamp());

    /// <summary>Lets it run, before other threads look at it.</summary>
    public void Run(double speed)
    {
        Set(GetUtcNow());
        _speed = speed;
    }

    public override DateTimeOffset GetUtcNow() => _speed == 0 ? _at : _at + Stopwatch.GetElapsedTime(_began) * _speed;
}
