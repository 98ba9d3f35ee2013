namespace Telemetry.Messaging.Client;

/// <summary>A publish as its caller sees it: one batch, sent in one piece or, if it is too large, in several.</summary>
internal sealed class PendingPublish(int partition, int recordCount, ReadOnlyMemory<byte> sourcePosition)
{
    private readonly TaskCompletionSource<PublishResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _piecesLeft;
    private long? _baseOffset;
    private bool _duplicate = true;

    public int Partition { get; } = partition;

    public int RecordCount { get; } = recordCount;

    /// <summary>Goes with the last piece: before that, the source's statement would not be true.</summary>
    public ReadOnlyMemory<byte> SourcePosition { get; } = sourcePosition;

    public Task<PublishResult> Task => _completion.Task;

    public void AddPieces(int count) => _piecesLeft += count;

    /// <summary>Notes that a piece is acknowledged; true when it was the last.</summary>
    public bool Acknowledge(long baseOffset, bool duplicate)
    {
        _baseOffset ??= baseOffset;
        _duplicate &= duplicate;
        return --_piecesLeft == 0;
    }

    public void Complete() => _completion.TrySetResult(new PublishResult(_baseOffset ?? -1, _duplicate));

    public void Fail(Exception error)
    {
        _completion.TrySetException(error);
        // A caller that only flushes gets the error from there; it must not come up again as unobserved.
        _ = _completion.Task.Exception;
    }

    public void Cancel() => _completion.TrySetCanceled();
}

/// <summary>A batch as it is sent.</summary>
internal sealed class Piece(PendingPublish publish, ReadOnlyMemory<byte> batch, int recordCount, bool isLast)
{
    public PendingPublish Publish { get; } = publish;

    public ReadOnlyMemory<byte> Batch { get; } = batch;

    public int RecordCount { get; } = recordCount;

    /// <summary>The last of its publish: it carries the source position.</summary>
    public bool IsLast { get; } = isLast;

    /// <summary>The sequence of its first record.</summary>
    public long Sequence { get; set; }

    /// <summary>It has been sent before.</summary>
    public bool WasSent { get; set; }
}
