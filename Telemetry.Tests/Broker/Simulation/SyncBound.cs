namespace Telemetry.Tests.Broker.Simulation;

/// <summary>
/// Which acknowledgements a power cut may take: none where each was synced before; with FSYNC=duration those that are not
/// older than that.
/// </summary>
/// <param name="fsync">FSYNC; zero: always.</param>
/// <param name="time">The clock, the same for every broker that comes up.</param>
internal sealed class SyncBound(TimeSpan fsync, TimeProvider time)
{
    private readonly List<long> _times = [];
    private int _safe;
    private bool _syncFailed;

    public bool IsRelaxed => fsync > TimeSpan.Zero;

    /// <summary>Numbers an acknowledgement.</summary>
    public int Note()
    {
        _times.Add(time.GetTimestamp());
        return _times.Count - 1;
    }

    /// <summary>Whether what was acknowledged then has to be there for ever.</summary>
    public bool IsSafe(int acknowledgement) => !IsRelaxed || acknowledgement < _safe;

    /// <summary>Time went by, and the committer ran.</summary>
    public void OnTimePassed()
    {
        while (!_syncFailed && _safe < _times.Count && time.GetElapsedTime(_times[_safe]) >= fsync)
            _safe++;
    }

    /// <summary>What was not synced so far never is: the log takes no more.</summary>
    public void OnSyncFailed() => _syncFailed = true;

    /// <summary>A broker came up: what it has is synced.</summary>
    public void OnRestarted()
    {
        _safe = _times.Count;
        _syncFailed = false;
    }
}
