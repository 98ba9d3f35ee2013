using Telemetry.Messaging.Client;
using Telemetry.ServiceDefaults;
using Telemetry.Streamer.Sources;

namespace Telemetry.Streamer.Shards;

/// <summary>Opening shards, reading them at the set pace, and what comes at the end of the input.</summary>
internal sealed partial class StreamSession
{
    /// <summary>How often a followed file is looked at.</summary>
    private static readonly TimeSpan FollowInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Rows of a followed long file become records when nothing came for this long …</summary>
    private static readonly TimeSpan FollowQuiet = TimeSpan.FromSeconds(1);

    /// <summary>… or when the first of them has waited for this long.</summary>
    private static readonly TimeSpan FollowAge = TimeSpan.FromSeconds(5);

    /// <summary>The wait before a further pass when a pass had no records at all.</summary>
    private static readonly TimeSpan EmptyPassDelay = TimeSpan.FromSeconds(1);

    private int _missing; // records of a paced batch that are still to be read
    private long _sentAt; // when the last paced batch was sent
    private bool _hasSent;
    private long _recordsAtPass = -1; // no pass was read from its begin
    private long _rowsCounted;
    private long _grownAt;
    private long? _waitingSince;
    private string _unavailable = "";

    private bool IsPaced => _options.StreamInterval > TimeSpan.Zero;

    /// <summary>Opens the producers of shards that are owned and not open; the queue's state tells where each goes on.</summary>
    private async Task OpenShardsAsync(CancellationToken interrupt)
    {
        var closed = _owned.Where(shard => !_publishers.ContainsKey(shard) && !_resting.Contains(shard)).ToList();
        if (closed.Count == 0)
            return;
        var opened = await Task.WhenAll(closed.Select(shard => OpenShardAsync(shard, interrupt)));
        foreach (var (shard, (producer, error)) in closed.Zip(opened))
        {
            if (producer is not null)
                _publishers.Add(shard, new ShardPublisher(Resume(shard, producer.Opened), producer, _context.Metrics, _context.Totals, OnFailed));
            else if (error is not null)
                RetryLater(shard, error);
        }
        _reader.SetShards([.. _publishers.Values.Select(publisher => publisher.Shard)]);
    }

    private async Task<(IShardProducer? Producer, QueueException? Error)> OpenShardAsync(int shard, CancellationToken interrupt)
    {
        try
        {
            return (await _context.Queue.OpenAsync(_options.Topic, $"{_inputId}/{shard}", shard % _partitions, interrupt), null);
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return (null, null);
        }
        catch (QueueException error)
        {
            _context.Metrics.Error("publish");
            return (null, error);
        }
    }

    private Shard Resume(int shard, ProducerState state)
    {
        _context.Totals.HadState |= state.NextSequence > 0;
        if (_acknowledged.TryGetValue(shard, out var position) && (state.NextSequence == 0 || _reader.IsLater(position, state.SourcePosition.Span)))
        {
            // A queue without a disk was started again (and another streamer may have begun anew meanwhile). This one knows
            // what had been acknowledged.
            StreamerLog.QueueForgotShard(_context.Logger, shard);
            return _reader.Resume(shard, position, 0);
        }
        return _reader.Resume(shard, state.SourcePosition.Span, state.RecordsAfterPosition);
    }

    private void OnFailed(ShardPublisher publisher, Exception error) => Post(new Happening.Failed(publisher, error));

    /// <summary>Reads and publishes until interrupted (null), or until the session ends.</summary>
    private async Task<SessionEnd?> StreamAsync(CancellationToken interrupt)
    {
        try
        {
            while (!interrupt.IsCancellationRequested)
            {
                foreach (var publisher in _publishers.Values.Where(publisher => publisher.HasPending))
                    await publisher.FlushAsync(interrupt);
                await PaceAsync(interrupt);
                if (_missing == 0)
                    _missing = IsPaced && !_options.Follow ? _options.BatchSize : int.MaxValue;
                var step = _reader.Advance(_missing, interrupt);
                _missing = _reader.Left;
                Report();
                if (await FollowUpAsync(step, interrupt) is { } end)
                    return end;
            }
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
        }
        return null;
    }

    private async Task<SessionEnd?> FollowUpAsync(ReadStep step, CancellationToken interrupt)
    {
        switch (step)
        {
            case ReadStep.Full:
                await _publishers[_reader.FullShard!.Number].FlushAsync(interrupt);
                return null;
            case ReadStep.Enough:
                await FlushBatchAsync(interrupt);
                return null;
            case ReadStep.EndOfPass:
                await FlushBatchAsync(interrupt);
                return await EndPassAsync(interrupt);
            case ReadStep.LiveEnd:
                await FlushBatchAsync(interrupt);
                return await FollowAsync(interrupt) ? null : await ChangeInputAsync(interrupt);
            case ReadStep.InputChanged:
                await FlushBatchAsync(interrupt);
                return await ChangeInputAsync(interrupt);
            default:
                return null;
        }
    }

    /// <summary>Sends what was read as one batch (a shard), and starts the interval.</summary>
    private async Task FlushBatchAsync(CancellationToken interrupt)
    {
        var waiting = _publishers.Values.Where(publisher => publisher.Shard.Count > 0).ToList();
        if (waiting.Count > 0)
        {
            (_hasSent, _sentAt) = (true, _context.Time.GetTimestamp());
            _missing = 0;
        }
        foreach (var publisher in waiting)
            await publisher.FlushAsync(interrupt);
    }

    private async Task PaceAsync(CancellationToken interrupt)
    {
        if (!IsPaced || !_hasSent)
            return;
        var rest = _options.StreamInterval - _context.Time.GetElapsedTime(_sentAt);
        if (rest > TimeSpan.Zero)
            await Task.Delay(rest, _context.Time, interrupt);
        _hasSent = false;
    }

    private async Task<SessionEnd?> EndPassAsync(CancellationToken interrupt)
    {
        if (!_options.LoopData)
        {
            if (await IsAllAcknowledgedAsync(interrupt))
                await StayAsync(interrupt);
            return null;
        }
        if (_reader.Records == _recordsAtPass)
            await Task.Delay(EmptyPassDelay, _context.Time, interrupt);
        _recordsAtPass = _reader.Records;
        if (TryOpenInput() is not { } input)
        {
            await Task.Delay(EmptyPassDelay, _context.Time, interrupt);
            return null;
        }
        if (!input.IsSameAs(_input))
            return await ChangeInputAsync(interrupt);
        _input = input;
        _reader.NextPass(input);
        return null;
    }

    /// <summary>
    /// At the end of a finite input: this streamer's part is sent. It stays in the group until all of the input is, because it
    /// takes over the shards of a streamer that dies.
    /// </summary>
    private async Task StayAsync(CancellationToken interrupt)
    {
        await _membership!.FinishAsync([.. _owned], interrupt);
        await WaitAsync(IdleAfter, interrupt);
        if (interrupt.IsCancellationRequested)
            return;
        StreamerLog.PartSent(_context.Logger, List(_owned));
        await WaitAsync(Timeout.InfiniteTimeSpan, interrupt);
    }

    /// <summary>At the end of a followed file: waits for more. False when another file took its place.</summary>
    private async Task<bool> FollowAsync(CancellationToken interrupt)
    {
        var state = FollowState.Unchanged;
        try
        {
            state = _reader.Refresh();
            _unavailable = "";
        }
        catch (StartupException error)
        {
            SayUnavailable(error.Message);
        }
        var time = _context.Time;
        if (!_reader.HasOpenWindows)
            _waitingSince = null;
        else
            _waitingSince ??= time.GetTimestamp();
        if (state == FollowState.Grown)
            _grownAt = time.GetTimestamp();
        var isDue = _waitingSince is { } since
            && (time.GetElapsedTime(since) >= FollowAge || time.GetElapsedTime(Math.Max(_grownAt, since)) >= FollowQuiet);
        if ((isDue || state == FollowState.Replaced) && _reader.SealWindows())
        {
            _waitingSince = null;
            return true;
        }
        if (state == FollowState.Replaced)
            return false;
        if (state == FollowState.Unchanged)
            await Task.Delay(FollowInterval, time, interrupt);
        return true;
    }

    /// <summary>Waits for the answers to everything that was sent. False when a shard failed and is opened again.</summary>
    private async Task<bool> IsAllAcknowledgedAsync(CancellationToken interrupt)
    {
        await Task.WhenAll(_publishers.Values.Select(publisher => publisher.WhenAcknowledgedAsync())).WaitAsync(interrupt);
        if (_publishers.Count == _owned.Count && _publishers.Values.All(publisher => !publisher.HasFailed))
            return true;
        // What failed is opened again; that interrupts this wait.
        await WaitAsync(Timeout.InfiniteTimeSpan, interrupt);
        return false;
    }

    /// <summary>Ends the session once all of the old input is in the queue: nobody can read it again.</summary>
    private async Task<SessionEnd?> ChangeInputAsync(CancellationToken interrupt)
    {
        if (!await IsAllAcknowledgedAsync(interrupt))
            return null;
        StreamerLog.InputReplaced(_context.Logger, _options.CsvFile);
        await FinishAsync(_publishers.Values, StopLimit);
        return SessionEnd.InputChanged;
    }

    private Input? TryOpenInput()
    {
        try
        {
            var input = Input.Open(_options);
            _unavailable = "";
            return input;
        }
        catch (StartupException error)
        {
            SayUnavailable(error.Message);
            return null;
        }
    }

    private void SayUnavailable(string reason)
    {
        if (reason != _unavailable)
            StreamerLog.InputUnavailable(_context.Logger, reason);
        _unavailable = reason;
    }

    private void Report()
    {
        _context.Totals.AddRows(_reader.Rows - _rowsCounted);
        _rowsCounted = _reader.Rows;
        _context.Totals.Reach(_reader.BytesDone);
    }
}
