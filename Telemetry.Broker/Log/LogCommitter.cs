using System.Diagnostics;

namespace Telemetry.Broker.Log;

/// <summary>
/// Writes and syncs for all partitions: what they have queued while the last round was under way goes into the next one, so
/// that many publishes share a sync. Nothing is done but in <see cref="RunOnce"/>, which a thread of the broker calls, or a
/// simulation.
/// </summary>
/// <param name="fsync">Zero: an append is complete when it is synced. Otherwise when it is written, and synced at least this often.</param>
/// <param name="time">The clock of that.</param>
internal sealed class LogCommitter(TimeSpan fsync, TimeProvider time) : IDisposable
{
    private readonly Lock _sync = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly HashSet<DurableStorage> _unsynced = [];
    private HashSet<DurableStorage> _queued = [];
    private HashSet<DurableStorage> _round = [];
    private long _lastSync = time.GetTimestamp();

    /// <summary>Whether an append is complete before it is synced.</summary>
    public bool IsRelaxed => fsync > TimeSpan.Zero;

    /// <summary>Told of each sync: how long it took.</summary>
    public Action<TimeSpan>? Synced { get; init; }

    /// <summary>Told of each round that wrote something: how many records, and how many bytes.</summary>
    public Action<long, long>? Wrote { get; init; }

    /// <summary>Tells that a storage has something to do. Once is enough until it was done.</summary>
    public void Enqueue(DurableStorage storage)
    {
        lock (_sync)
            _queued.Add(storage);
        _work.Release();
    }

    /// <summary>Forgets a storage that is closed.</summary>
    public void Forget(DurableStorage storage)
    {
        lock (_sync)
            _unsynced.Remove(storage);
    }

    /// <summary>Works until it is cancelled; meant for a thread of its own.</summary>
    public void Run(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                _work.Wait(UntilSync(), cancellationToken);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            RunOnce();
        }
        // What is queued still is told how it ended.
        RunOnce();
    }

    /// <summary>How long the next round may be put off: with work all the time no record waits longer for its sync either.</summary>
    public TimeSpan UntilSync()
    {
        if (!IsRelaxed)
            return Timeout.InfiniteTimeSpan;
        var left = fsync - time.GetElapsedTime(_lastSync);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    public void Dispose() => _work.Dispose();

    /// <summary>One round: writes everything that is queued, and syncs it.</summary>
    public void RunOnce()
    {
        lock (_sync)
        {
            (_round, _queued) = (_queued, _round);
            // All that was asked for so far is done in this round.
            while (_work.CurrentCount > 0 && _work.Wait(0))
            {
            }
        }
        long records = 0, bytes = 0;
        foreach (var storage in _round)
        {
            var written = storage.WriteQueued();
            records += written.Records;
            bytes += written.Bytes;
        }
        if (bytes > 0)
            Wrote?.Invoke(records, bytes);
        if (!IsRelaxed)
        {
            foreach (var storage in _round)
                Sync(storage);
            foreach (var storage in _round)
                storage.CompleteWritten();
        }
        else
        {
            foreach (var storage in _round)
                storage.CompleteWritten();
            lock (_sync)
                _unsynced.UnionWith(_round);
            SyncWhenDue();
        }
        _round.Clear();
    }

    private void SyncWhenDue()
    {
        if (time.GetElapsedTime(_lastSync) < fsync)
            return;
        DurableStorage[] due;
        lock (_sync)
        {
            due = [.. _unsynced];
            _unsynced.Clear();
        }
        foreach (var storage in due)
            Sync(storage);
        _lastSync = time.GetTimestamp();
    }

    private void Sync(DurableStorage storage)
    {
        var began = Stopwatch.GetTimestamp();
        if (storage.SyncWritten())
            Synced?.Invoke(Stopwatch.GetElapsedTime(began));
    }
}
