using System.Diagnostics;
using Telemetry.Messaging.Client;

namespace Telemetry.Streamer.Shards;

/// <summary>What a run has done so far. Written by the streaming loop and by acknowledgements, read by whoever reports.</summary>
internal sealed class StreamTotals
{
    private long _acknowledged;
    private long _rows;
    private long _bytesDone;

    /// <summary>Records that the queue has acknowledged.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Rows read, bad ones included.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>Bytes of the input that lie behind.</summary>
    public long BytesDone => Interlocked.Read(ref _bytesDone);

    /// <summary>Whether an earlier run had sent something of this input.</summary>
    public bool HadState { get; set; }

    public void Acknowledge(int records) => Interlocked.Add(ref _acknowledged, records);

    public void AddRows(long rows) => Interlocked.Add(ref _rows, rows);

    public void Reach(long bytes) => Interlocked.Exchange(ref _bytesDone, bytes);
}

/// <summary>Sends one shard's batches and follows their acknowledgements.</summary>
internal sealed class ShardPublisher(Shard shard, IShardProducer producer, StreamerMetrics metrics, StreamTotals totals, Action<ShardPublisher, Exception> onFailed) : IAsyncDisposable
{
    private readonly Queue<Task> _underWay = [];
    private EncodedBatch? _pending;
    private volatile bool _ended;
    private volatile bool _failed;
    private byte[]? _acknowledgedPosition;

    /// <summary>The shard.</summary>
    public Shard Shard => shard;

    /// <summary>Whether a publish failed for good; nothing is sent any more.</summary>
    public bool HasFailed => _failed;

    /// <summary>The position that was acknowledged last; null for none.</summary>
    public byte[]? AcknowledgedPosition => Volatile.Read(ref _acknowledgedPosition);

    /// <summary>Whether an encoded batch has found no room yet.</summary>
    public bool HasPending => _pending is not null;

    /// <summary>Batches that are not acknowledged.</summary>
    public int Unacknowledged => _underWay.Count(task => !task.IsCompleted) + (_pending is null && shard.Count == 0 ? 0 : 1);

    /// <summary>Hands everything that waits to the queue, as soon as there is room. What found no room when cancelled is kept.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        while (!HasFailed && (_pending is not null || shard.Count > 0))
        {
            _pending ??= Encode();
            try
            {
                var acknowledgement = await producer.SendAsync(_pending.Bytes, _pending.Records, _pending.Position.Encode(), cancellationToken);
                while (_underWay.TryPeek(out var first) && first.IsCompleted)
                    _ = _underWay.Dequeue();
                _underWay.Enqueue(AwaitAcknowledgementAsync(acknowledgement, _pending));
                metrics.Sent(_pending.Records);
                _pending = null;
            }
            catch (QueueException error)
            {
                Fail(error);
            }
        }
    }

    /// <summary>Ends when everything that was handed over is acknowledged or has failed.</summary>
    public Task WhenAcknowledgedAsync() => Task.WhenAll(_underWay.ToArray());

    /// <summary>Drops what is not acknowledged.</summary>
    public async ValueTask DisposeAsync()
    {
        _ended = true;
        _pending?.Activity?.Dispose();
        await producer.DisposeAsync();
    }

    private EncodedBatch Encode()
    {
        var activity = StreamerMetrics.Activities.StartActivity("publish batch", ActivityKind.Producer);
        activity?.SetTag("telemetry.shard", shard.Number);
        activity?.SetTag("telemetry.records", shard.Count);
        // The span belongs to the batch, not to whatever this thread does next.
        Activity.Current = activity?.Parent;
        return shard.TakeBatch(activity);
    }

    private async Task AwaitAcknowledgementAsync(Task<PublishResult> acknowledgement, EncodedBatch batch)
    {
        using var activity = batch.Activity;
        try
        {
            await acknowledgement;
            Volatile.Write(ref _acknowledgedPosition, batch.Position.Encode());
            totals.Acknowledge(batch.Records);
            metrics.Acknowledged(batch.Records, batch.LastTimeUnixMs);
        }
        catch (Exception) when (_ended)
        {
            // The shard was given up, and with it what was under way; the queue's state tells its next owner where to go on.
            activity?.SetStatus(ActivityStatusCode.Error, "given up");
        }
        catch (Exception error)
        {
            activity?.SetStatus(ActivityStatusCode.Error, error.Message);
            Fail(error);
        }
    }

    private void Fail(Exception error)
    {
        if (_failed)
            return;
        _failed = true;
        metrics.Error("publish");
        onFailed(this, error);
    }
}
