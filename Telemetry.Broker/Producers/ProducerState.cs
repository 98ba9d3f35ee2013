namespace Telemetry.Broker.Producers;

/// <summary>What a partition remembers of a producer: enough to refuse what is out of order and to recognise what came twice.</summary>
internal sealed class ProducerState(string producerId)
{
    /// <summary>So many of the last batches can be answered with their offset when they come again.</summary>
    public const int RememberedBatches = 8;

    private readonly Appended[] _last = new Appended[RememberedBatches];
    private int _lastIndex;

    public string ProducerId { get; } = producerId;

    public int Epoch { get; set; }

    public long NextSequence { get; private set; }

    public ReadOnlyMemory<byte> SourcePosition { get; private set; }

    public long PositionSequence { get; private set; }

    /// <summary>Log time of the last use.</summary>
    public long UsedLogMs { get; set; }

    /// <summary>Where a batch stands: <see cref="SequenceCheck.Next"/> may be appended.</summary>
    public SequenceCheck Check(int epoch, long baseSequence, int recordCount)
    {
        if (epoch < Epoch)
            return SequenceCheck.Fenced;
        if (epoch > Epoch)
            return SequenceCheck.Unknown;
        if (baseSequence == NextSequence)
            return SequenceCheck.Next;
        return baseSequence + recordCount <= NextSequence ? SequenceCheck.Duplicate : SequenceCheck.OutOfOrder;
    }

    /// <summary>The offset that a batch got when it was appended; -1 when that is no longer remembered.</summary>
    public long OffsetOf(long baseSequence, int recordCount)
    {
        foreach (var appended in _last)
        {
            if (appended.RecordCount == recordCount && appended.BaseSequence == baseSequence)
                return appended.BaseOffset;
        }
        return -1;
    }

    /// <summary>Notes an append and returns what takes it back.</summary>
    public Undo Advance(long baseSequence, int recordCount, long baseOffset, ReadOnlyMemory<byte> sourcePosition)
    {
        var undo = new Undo(this, NextSequence, SourcePosition, PositionSequence, _lastIndex, _last[_lastIndex]);
        _last[_lastIndex] = new Appended(baseSequence, recordCount, baseOffset);
        _lastIndex = (_lastIndex + 1) % RememberedBatches;
        NextSequence = baseSequence + recordCount;
        if (!sourcePosition.IsEmpty)
        {
            SourcePosition = sourcePosition;
            PositionSequence = NextSequence;
        }
        return undo;
    }

    public ProducerSnapshot Snapshot() => new(ProducerId, Epoch, NextSequence, SourcePosition, PositionSequence);

    /// <summary>Takes over what the log knew when it was opened.</summary>
    public void Restore(ProducerSnapshot snapshot)
    {
        Epoch = snapshot.Epoch;
        NextSequence = snapshot.NextSequence;
        SourcePosition = snapshot.SourcePosition;
        PositionSequence = snapshot.PositionSequence;
    }

    /// <summary>Takes an append back that the storage refused; the newest first.</summary>
    internal readonly record struct Undo(
        ProducerState? State, long NextSequence, ReadOnlyMemory<byte> SourcePosition, long PositionSequence, int LastIndex, Appended Forgotten)
    {
        public void Apply()
        {
            if (State is null)
                return;
            State.NextSequence = NextSequence;
            State.SourcePosition = SourcePosition;
            State.PositionSequence = PositionSequence;
            State._lastIndex = LastIndex;
            State._last[LastIndex] = Forgotten;
        }
    }

    internal readonly record struct Appended(long BaseSequence, int RecordCount, long BaseOffset);
}

/// <summary>Where a batch stands in its producer's sequence.</summary>
internal enum SequenceCheck
{
    /// <summary>It is the next one.</summary>
    Next,

    /// <summary>All of it is in the log.</summary>
    Duplicate,

    /// <summary>It leaves a gap, or is partly in the log.</summary>
    OutOfOrder,

    /// <summary>A newer epoch is open.</summary>
    Fenced,

    /// <summary>Its epoch was not opened in this log.</summary>
    Unknown,
}
