using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Grpc.Core;
using Telemetry.Collector.Intake;
using Telemetry.Messaging.Client;

namespace Telemetry.Collector.Writing;

/// <summary>
/// Tells the queue how far the store is, after the store knows it. Only the newest offset of a partition is sent, one call
/// at a time, so that a slow queue holds up nothing. What failed is sent again: the store needs no commit, but a queue that
/// is full drops only what it knows to be read.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The semaphore has no wait handle, so it holds nothing; the last commit may come after everything else has ended.")]
internal sealed class OffsetCommitter(CollectorContext context, ICollectorQueue queue)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<int, (long Offset, long Generation)> _newest = [];
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _sending = new(1, 1); // an older commit that arrived later would move the group back
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Notes what was written.</summary>
    public void Written(int partition, long offset, long generation)
    {
        lock (_lock)
            _newest[partition] = (offset, generation);
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Sends what was noted, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in _signal.Reader.ReadAllAsync(cancellationToken))
        {
            if (await SendAsync(cancellationToken))
                continue;
            await Task.Delay(RetryDelay, context.Time, cancellationToken);
            _signal.Writer.TryWrite(true);
        }
    }

    /// <summary>Sends what is noted now. False when it failed, and stays noted.</summary>
    public async Task<bool> SendAsync(CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            return await SendNotedAsync(cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task<bool> SendNotedAsync(CancellationToken cancellationToken)
    {
        List<(int Partition, long Offset, long Generation)> offsets;
        lock (_lock)
        {
            offsets = [.. _newest.Select(n => (n.Key, n.Value.Offset, n.Value.Generation))];
            _newest.Clear();
        }
        if (offsets.Count == 0)
            return true;
        try
        {
            await queue.CommitAsync(offsets, cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            NoteAgain(offsets); // for the last call, when the collector stops
            throw;
        }
        catch (Exception error) when (error is QueueException or RpcException or TimeoutException)
        {
            CollectorLog.CommitFailed(context.Logger, error.Message);
            NoteAgain(offsets);
            return false;
        }
    }

    private void NoteAgain(List<(int Partition, long Offset, long Generation)> offsets)
    {
        lock (_lock)
        {
            foreach (var (partition, offset, generation) in offsets)
                _newest.TryAdd(partition, (offset, generation)); // a newer one is better
        }
    }
}
