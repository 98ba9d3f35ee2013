using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Telemetry.Storage.Queries;

/// <summary>Rows on their way from a thread that reads a snapshot to whoever takes them, some batches at a time.</summary>
internal sealed class RowStream : IDisposable
{
    private const int BatchesMax = 8;

    private readonly Channel<IReadOnlyList<TelemetryRow>> _batches = Channel.CreateUnbounded<IReadOnlyList<TelemetryRow>>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly SemaphoreSlim _room = new(BatchesMax);

    /// <summary>Adds rows, for which there is room.</summary>
    public void Add(IReadOnlyList<TelemetryRow> batch) => _batches.Writer.TryWrite(batch);

    /// <summary>Waits until there is room for more.</summary>
    public Task RoomAsync(CancellationToken cancellationToken) => _room.WaitAsync(cancellationToken);

    /// <summary>The same on a thread that has a snapshot and cannot keep it for long.</summary>
    /// <returns>False when there was none in that time.</returns>
    public bool HasRoom(TimeSpan patience, CancellationToken cancellationToken) => _room.Wait(patience, cancellationToken);

    /// <summary>Nothing more is added.</summary>
    public void End(Exception? error) => _batches.Writer.TryComplete(error);

    /// <summary>Takes the rows.</summary>
    public async IAsyncEnumerable<TelemetryRow> TakeAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var batch in _batches.Reader.ReadAllAsync(cancellationToken))
        {
            foreach (var row in batch)
                yield return row;
            _room.Release();
        }
    }

    public void Dispose() => _room.Dispose();
}
