using System.Threading.Channels;
using Grpc.Core;
using Telemetry.Collector.Intake;
using Telemetry.Messaging.Client;

namespace Telemetry.Collector.Writing;

/// <summary>
/// Tells the queue how far the store is, after the store knows it. Only the newest offset of a partition is sent, one call
/// at a time, so that a slow queue holds up nothing; a failure matters to no one but the lag that is shown.
/// </summary>
internal sealed class OffsetCommitter(CollectorContext context, ICollectorQueue queue)
{
    private readonly Dictionary<int, (long Offset, long Generation)> _newest = [];
    private readonly Lock _lock = new();
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
            await SendAsync(cancellationToken);
    }

    /// <summary>Sends what is noted now.</summary>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        List<(int, long, long)> offsets;
        lock (_lock)
        {
            offsets = [.. _newest.Select(n => (n.Key, n.Value.Offset, n.Value.Generation))];
            _newest.Clear();
        }
        if (offsets.Count == 0)
            return;
        try
        {
            await queue.CommitAsync(offsets, cancellationToken);
        }
        catch (Exception error) when (error is QueueException or RpcException or TimeoutException)
        {
            CollectorLog.CommitFailed(context.Logger, error.Message);
        }
    }
}
