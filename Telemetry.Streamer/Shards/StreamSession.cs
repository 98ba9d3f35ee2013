using System.Threading.Channels;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults;
using Telemetry.Streamer.Sources;

namespace Telemetry.Streamer.Shards;

/// <summary>How a session ended.</summary>
internal enum SessionEnd
{
    /// <summary>All of the input is sent and acknowledged, by this streamer and the others.</summary>
    Finished,

    /// <summary>The input is another one than it was.</summary>
    InputChanged,

    /// <summary>It was told to stop.</summary>
    Stopped,
}

/// <summary>What a session needs besides its input.</summary>
internal sealed record StreamContext(
    StreamerOptions Options, IInputQueue Queue, StreamerMetrics Metrics, BadRows BadRows, StreamTotals Totals, TimeProvider Time, ILogger Logger);

/// <summary>
/// Streams one input: takes part in the group that divides its shards, and reads and publishes those it owns. One loop does
/// everything; changes of the assignment and failed publishes are events that interrupt it where nothing is half done.
/// </summary>
internal sealed partial class StreamSession : IDisposable
{
    /// <summary>How long a stop waits for acknowledgements: within the host's grace period.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    /// <summary>How long giving shards back may take; the group notices by itself when it does not happen.</summary>
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(5);

    /// <summary>A streamer without shards says so after this long.</summary>
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);

    private const int RetrySecondsMax = 30;

    /// <summary>After another streamer took a shard: the group says soon whose it is.</summary>
    private static readonly TimeSpan FencedDelay = TimeSpan.FromSeconds(5);

    private abstract record Happening
    {
        public sealed record Changed(AssignmentChange Change) : Happening;

        public sealed record Failed(ShardPublisher Publisher, Exception Error) : Happening;

        public sealed record Retry(int Shard) : Happening;

        public sealed record MembershipEnded(Exception? Error) : Happening;
    }

    private readonly StreamContext _context;
    private readonly StreamerOptions _options;
    private readonly int _partitions;
    private readonly int _shardCount;
    private readonly string _inputId;
    private readonly InputReader _reader;
    private readonly Channel<Happening> _happenings = Channel.CreateUnbounded<Happening>();
    private readonly Dictionary<int, ShardPublisher> _publishers = [];
    private readonly HashSet<int> _owned = [];
    private readonly HashSet<int> _resting = []; // failed, and not to be opened yet
    private readonly Dictionary<int, byte[]> _acknowledged = [];
    private readonly Dictionary<int, ITimer> _timers = [];
    private readonly Dictionary<int, int> _failures = []; // in a row
    private readonly Lock _interruptLock = new();
    private Input _input;
    private CancellationTokenSource _interrupt = new();
    private IShardMembership? _membership;
    private bool _saidIdle;
    private bool _allSent; // of a finite input, by whomever

    /// <param name="context">What it needs.</param>
    /// <param name="input">What is streamed.</param>
    /// <param name="partitions">The topic's partitions.</param>
    /// <param name="windowRows">For tests: other bounds of the windows of long files.</param>
    public StreamSession(StreamContext context, Input input, int partitions, int? windowRows = null)
    {
        _context = context;
        _options = context.Options;
        _input = input;
        _partitions = partitions;
        _shardCount = ShardCount(partitions);
        _inputId = input.Id(_options.Topic, _shardCount);
        var reading = ReadOptions.Of(_options, _shardCount);
        _reader = new InputReader(input, reading with { WindowRows = windowRows ?? reading.WindowRows }, context.BadRows, context.Time, context.Logger);
    }

    /// <summary>Shards of an input: at least 16, and a multiple of the partitions, so that a shard writes to one partition only.</summary>
    public static int ShardCount(int partitions) => partitions * ((16 + partitions - 1) / partitions);

    /// <summary>The group that divides an input among streamers.</summary>
    public static string GroupOf(string topic, string inputId) => $"input/{topic}/{inputId}";

    /// <summary>Streams until the input ends or changes, or it is told to stop; then everything sent is acknowledged, if that is possible in time.</summary>
    /// <exception cref="StartupException">It cannot go on; the message says why.</exception>
    public async Task<SessionEnd> RunAsync(CancellationToken stopping)
    {
        var (options, logger) = (_options, _context.Logger);
        StreamerLog.Streaming(
            logger, _input.Files.Count, _input.Length, options.CsvFile, options.Topic, _context.Queue.Address, _inputId, _shardCount,
            ServiceDefaults.Settings.Durations.Format(options.StreamInterval), options.BatchSize, options.LoopData && !options.Follow, options.Follow, options.TimestampMode.ToString());
        using var ended = new CancellationTokenSource();
        _membership = _context.Queue.Join(GroupOf(options.Topic, _inputId), options.Topic, _shardCount);
        var listening = ListenAsync(_membership, ended.Token);
        try
        {
            return await LoopAsync(stopping);
        }
        finally
        {
            foreach (var publisher in _publishers.Values)
                await publisher.DisposeAsync();
            await _membership.DisposeAsync();
            await ended.CancelAsync();
            await listening;
        }
    }

    public void Dispose()
    {
        foreach (var timer in _timers.Values)
            timer.Dispose();
        _reader.Dispose();
        _interrupt.Dispose();
    }

    private async Task<SessionEnd> LoopAsync(CancellationToken stopping)
    {
        using var onStop = stopping.Register(Interrupt);
        while (true)
        {
            var interrupt = NewInterrupt(stopping);
            while (_happenings.Reader.TryRead(out var happening))
                await HandleAsync(happening);
            if (stopping.IsCancellationRequested)
            {
                await FinishAsync(_publishers.Values, StopLimit);
                return SessionEnd.Stopped;
            }
            if (_allSent)
                return SessionEnd.Finished;
            await OpenShardsAsync(interrupt);
            if (interrupt.IsCancellationRequested)
                continue;
            if (_publishers.Count == 0)
            {
                await IdleAsync(interrupt);
                continue;
            }
            if (await StreamAsync(interrupt) is { } end)
                return end;
        }
    }

    /// <summary>Waits for a shard: there may be more streamers than shards.</summary>
    private async Task IdleAsync(CancellationToken interrupt)
    {
        if (_owned.Count == 0 && !_saidIdle)
        {
            await WaitAsync(IdleAfter, interrupt);
            if (interrupt.IsCancellationRequested)
                return;
            StreamerLog.Idle(_context.Logger, _shardCount);
            _saidIdle = true;
        }
        await WaitAsync(Timeout.InfiniteTimeSpan, interrupt);
    }

    private async Task ListenAsync(IShardMembership membership, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in membership.ChangesAsync(cancellationToken))
                Post(new Happening.Changed(change));
            Post(new Happening.MembershipEnded(null));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            Post(new Happening.MembershipEnded(error));
        }
    }

    private async Task HandleAsync(Happening happening)
    {
        var logger = _context.Logger;
        switch (happening)
        {
            case Happening.Changed { Change: AssignmentChange.Assigned assigned }:
                _owned.UnionWith(assigned.Shards.Select(shard => shard.Shard));
                StreamerLog.Assigned(logger, List(assigned.Shards.Select(shard => shard.Shard)));
                break;
            case Happening.Changed { Change: AssignmentChange.Revoked revoked }:
                await GiveBackAsync(revoked);
                break;
            case Happening.Changed { Change: AssignmentChange.Lost lost }:
                StreamerLog.Lost(logger, List(lost.Shards), lost.Reason);
                await DropAsync(lost.Shards);
                break;
            case Happening.Changed { Change: AssignmentChange.AllFinished }:
                _allSent = _options.IsFinite;
                break;
            case Happening.Failed failed when _publishers.GetValueOrDefault(failed.Publisher.Shard.Number) == failed.Publisher:
                await RestAsync(failed.Publisher, failed.Error);
                break;
            case Happening.Retry retry:
                _resting.Remove(retry.Shard);
                break;
            case Happening.MembershipEnded { Error: QueueException error }:
                throw new StartupException($"the queue refused this streamer: {error.Message}", error);
            case Happening.MembershipEnded end:
                throw new InvalidOperationException("the membership in the group ended", end.Error);
        }
    }

    /// <summary>Finishes with revoked shards, within their deadline: what is not acknowledged by then is the next owner's, who fences this one.</summary>
    private async Task GiveBackAsync(AssignmentChange.Revoked revoked)
    {
        var publishers = revoked.Shards.Where(_publishers.ContainsKey).Select(shard => _publishers[shard]).ToList();
        await FinishAsync(publishers, revoked.Deadline * 0.7);
        await DropAsync(revoked.Shards);
        foreach (var shard in revoked.Shards)
            _acknowledged.Remove(shard);
        using var timeout = new CancellationTokenSource(ReleaseLimit, _context.Time);
        try
        {
            await _membership!.ReleaseAsync(revoked.Shards, timeout.Token);
            StreamerLog.Released(_context.Logger, List(revoked.Shards));
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            StreamerLog.NotReleased(_context.Logger, List(revoked.Shards));
        }
    }

    /// <summary>A publish failed for good: the shard is opened again after a while, and its state tells where to go on.</summary>
    private async Task RestAsync(ShardPublisher publisher, Exception error)
    {
        var number = publisher.Shard.Number;
        if (publisher.AcknowledgedPosition is not null)
            _failures.Remove(number);
        Keep(publisher);
        _publishers.Remove(number);
        _reader.SetShards([.. _publishers.Values.Select(p => p.Shard)]);
        await publisher.DisposeAsync();
        RetryLater(number, error);
    }

    private void RetryLater(int shard, Exception error)
    {
        if (error is QueueException { Code: ErrorCode.InvalidRequest or ErrorCode.BatchTooLarge })
            throw new StartupException($"the queue refuses what is published: {error.Message}", error);
        var failures = _failures[shard] = _failures.GetValueOrDefault(shard) + 1;
        var delay = error is QueueException { Code: ErrorCode.ProducerFenced } ? FencedDelay
            : TimeSpan.FromSeconds(Math.Min(RetrySecondsMax, 1 << Math.Min(failures - 1, 10)));
        StreamerLog.ShardFailed(_context.Logger, shard, delay.TotalSeconds, error.Message);
        _resting.Add(shard);
        if (_timers.Remove(shard, out var timer))
            timer.Dispose();
        _timers[shard] = _context.Time.CreateTimer(_ => Post(new Happening.Retry(shard)), null, delay, Timeout.InfiniteTimeSpan);
    }

    private async Task DropAsync(IReadOnlyList<int> shards)
    {
        var dropped = new List<ShardPublisher>();
        foreach (var shard in shards)
        {
            _owned.Remove(shard);
            if (!_publishers.Remove(shard, out var publisher))
                continue;
            Keep(publisher);
            dropped.Add(publisher);
        }
        _reader.SetShards([.. _publishers.Values.Select(publisher => publisher.Shard)]);
        foreach (var publisher in dropped)
            await publisher.DisposeAsync();
    }

    private void Keep(ShardPublisher publisher)
    {
        if (publisher.AcknowledgedPosition is { } position)
            _acknowledged[publisher.Shard.Number] = position;
    }

    /// <summary>Hands everything over and waits for the acknowledgements, within a limit.</summary>
    private async Task FinishAsync(IReadOnlyCollection<ShardPublisher> publishers, TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit, _context.Time);
        try
        {
            await Task.WhenAll(publishers.Select(publisher => publisher.FlushAsync(timeout.Token)));
            await Task.WhenAll(publishers.Select(publisher => publisher.WhenAcknowledgedAsync())).WaitAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            StreamerLog.NotAcknowledged(_context.Logger, publishers.Sum(publisher => publisher.Unacknowledged), limit.TotalSeconds);
        }
    }

    private void Post(Happening happening)
    {
        _happenings.Writer.TryWrite(happening);
        Interrupt();
    }

    private void Interrupt()
    {
        lock (_interruptLock)
            _interrupt.Cancel();
    }

    /// <summary>A token that is cancelled by what happens from now on.</summary>
    private CancellationToken NewInterrupt(CancellationToken stopping)
    {
        lock (_interruptLock)
        {
            if (_interrupt.IsCancellationRequested && !stopping.IsCancellationRequested)
            {
                _interrupt.Dispose();
                _interrupt = new CancellationTokenSource();
            }
            return _interrupt.Token;
        }
    }

    /// <summary>Waits; an interruption ends the wait without an exception.</summary>
    private async Task WaitAsync(TimeSpan time, CancellationToken interrupt)
    {
        try
        {
            await Task.Delay(time, _context.Time, interrupt);
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
        }
    }

    private static string List(IEnumerable<int> shards) => string.Join(',', shards.Order());
}
