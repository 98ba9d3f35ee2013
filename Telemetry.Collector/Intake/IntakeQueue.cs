using System.Threading.Channels;
using System.Threading.RateLimiting;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.Records;

namespace Telemetry.Collector.Intake;

/// <summary>
/// Between the readers and the writer: a few workers decode, while the items wait for the writer in the order in which they
/// came. What is in hand is bounded by records; a full queue makes the readers wait, and so the broker.
/// </summary>
internal sealed class IntakeQueue : IDisposable
{
    private const int RecordsMax = 4 * RecordBatchLimits.RecordsMax;
    private const int ItemsMax = 16_384;

    private readonly ConcurrencyLimiter _room = new(new ConcurrencyLimiterOptions { PermitLimit = RecordsMax, QueueLimit = int.MaxValue });
    private readonly Channel<(Fetched.Batch Batch, int Skip, TaskCompletionSource<DecodedBatch> Result)> _undecoded =
        Channel.CreateBounded<(Fetched.Batch, int, TaskCompletionSource<DecodedBatch>)>(ItemsMax);

    private readonly Channel<IntakeItem> _items = Channel.CreateBounded<IntakeItem>(new BoundedChannelOptions(ItemsMax) { SingleReader = true });
    private int _activeWorkers;

    /// <summary>The writer's end.</summary>
    public ChannelReader<IntakeItem> Items => _items.Reader;

    /// <summary>Workers that run.</summary>
    public int ActiveWorkers => Volatile.Read(ref _activeWorkers);

    /// <summary>Records that were read and are not yet written.</summary>
    public long RecordsInHand => RecordsMax - _room.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>Adds a step; waits while there is no room. One caller a session, so that a partition's order is kept.</summary>
    public async ValueTask AddAsync(PartitionSession session, PartitionStep step, CancellationToken cancellationToken)
    {
        var room = await _room.AcquireAsync(Math.Clamp(step.Batch?.RecordCount ?? 1, 1, RecordBatchLimits.RecordsMax), cancellationToken);
        var decoded = Task.FromResult(DecodedBatch.Empty);
        TaskCompletionSource<DecodedBatch>? result = null;
        if (step.Batch is not null)
        {
            result = new TaskCompletionSource<DecodedBatch>(TaskCreationOptions.RunContinuationsAsynchronously);
            decoded = result.Task;
        }
        try
        {
            await _items.Writer.WriteAsync(new IntakeItem.Step(session, step, decoded, room), cancellationToken);
        }
        catch
        {
            room.Dispose();
            throw;
        }
        // From here on the writer waits for the result, so it must be decoded whatever happens to the session.
        if (result is not null)
            await _undecoded.Writer.WriteAsync((step.Batch!, step.Skip, result), CancellationToken.None);
    }

    /// <summary>Returns when everything that was added before is written or dropped.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _items.Writer.WriteAsync(new IntakeItem.Flush(written), cancellationToken);
        await written.Task.WaitAsync(cancellationToken);
    }

    /// <summary>No more items will come.</summary>
    public void Complete()
    {
        _items.Writer.TryComplete();
        _undecoded.Writer.TryComplete();
    }

    /// <summary>A worker: decodes until there is nothing more to come.</summary>
    public async Task DecodeAsync()
    {
        Interlocked.Increment(ref _activeWorkers);
        try
        {
            var decoder = new BatchDecoder();
            await foreach (var (batch, skip, result) in _undecoded.Reader.ReadAllAsync())
            {
                try
                {
                    result.SetResult(decoder.Decode(batch, skip));
                }
                catch (Exception error)
                {
                    result.SetException(error); // the writer stops the process
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _activeWorkers);
        }
    }

    public void Dispose() => _room.Dispose();
}
