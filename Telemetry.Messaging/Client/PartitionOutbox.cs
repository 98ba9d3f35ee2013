namespace Telemetry.Messaging.Client;

/// <summary>
/// The unacknowledged pieces of one partition, in the order of their sequences. After a refusal it sends nothing until every
/// answer under way has come, and then sends everything again in order with the same sequences: so the log never sees a
/// later piece before an earlier one, and what was appended after all is found to be a duplicate. Guarded by the producer's lock.
/// </summary>
internal sealed class PartitionOutbox(int number, LogIdentity log, long nextSequence)
{
    private readonly List<Piece> _unacknowledged = [];
    private int _sent;
    private int _awaited;
    private TimeSpan _delay;
    private long? _renumberFrom;
    private readonly Backoff _backoff = new();

    public int Number { get; } = number;

    public LogIdentity Log { get; private set; } = log;

    /// <summary>A refusal came, and answers to what was sent behind it are under way.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>The timestamp before which nothing is sent; null for at once.</summary>
    public long? WaitsUntil { get; private set; }

    /// <summary>The sequence of the next record that is taken.</summary>
    public long NextSequence { get; private set; } = nextSequence;

    /// <summary>The sequence of the first record that is not acknowledged.</summary>
    public long FirstSequence => _unacknowledged.Count > 0 ? _unacknowledged[0].Sequence : NextSequence;

    public int UnacknowledgedRecords => (int)(NextSequence - FirstSequence);

    public void Append(Piece piece)
    {
        piece.Sequence = NextSequence;
        NextSequence += piece.RecordCount;
        _unacknowledged.Add(piece);
    }

    /// <summary>The next piece to send; null when there is none, or it must wait.</summary>
    public Piece? TakeNext(long now)
    {
        if (IsDraining || _sent == _unacknowledged.Count || WaitsUntil > now)
            return null;
        WaitsUntil = null;
        _awaited++;
        return _unacknowledged[_sent++];
    }

    /// <summary>There is something to send once <see cref="WaitsUntil"/> has come.</summary>
    public bool HasWaiting => !IsDraining && _sent < _unacknowledged.Count;

    public void Acknowledge(Piece piece)
    {
        _backoff.Reset();
        Remove(piece);
    }

    /// <summary>The piece has to be sent again after the wait that the queue asks for, or after a back-off.</summary>
    public void Refuse(TimeSpan? delay)
    {
        IsDraining = true;
        _delay = delay ?? _backoff.Next();
    }

    /// <summary>Two pieces take the place of one; they have its sequences.</summary>
    public void Replace(Piece piece, Piece first, Piece second)
    {
        IsDraining = true;
        _delay = TimeSpan.Zero;
        var at = _unacknowledged.IndexOf(piece);
        _unacknowledged[at] = second;
        _unacknowledged.Insert(at, first);
    }

    /// <summary>
    /// Forgets a publish that failed for good. What was sent behind it is refused for the gap in the sequence, so it is
    /// numbered anew from there once all of that has come back.
    /// </summary>
    public void Drop(Piece piece)
    {
        IsDraining = true;
        _delay = TimeSpan.Zero;
        _renumberFrom = piece.Sequence;
        _unacknowledged.RemoveAll(other => other.Publish == piece.Publish);
    }

    /// <summary>Counts an answer; ends draining with the last.</summary>
    public void Answered(TimeProvider time)
    {
        _awaited--;
        if (!IsDraining || _awaited > 0)
            return;
        Restart();
        if (_delay > TimeSpan.Zero)
            WaitsUntil = time.GetTimestamp() + (long)(_delay.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>The stream is gone, and with it every answer: all is sent again.</summary>
    public void StreamEnded()
    {
        _awaited = 0;
        Restart();
    }

    /// <summary>Adopts the log that the queue has now, and numbers what is unacknowledged from a sequence on.</summary>
    public void Renumber(LogIdentity log, long sequence)
    {
        Log = log;
        foreach (var piece in _unacknowledged)
        {
            piece.Sequence = sequence;
            sequence += piece.RecordCount;
        }
        NextSequence = sequence;
    }

    public List<Piece> TakeAll()
    {
        var pieces = _unacknowledged.ToList();
        _unacknowledged.Clear();
        _sent = 0;
        return pieces;
    }

    private void Restart()
    {
        IsDraining = false;
        _sent = 0;
        if (_renumberFrom is { } sequence)
            Renumber(Log, sequence);
        _renumberFrom = null;
    }

    private void Remove(Piece piece)
    {
        var at = _unacknowledged.IndexOf(piece);
        if (at < 0)
            return; // dropped with its publish
        _unacknowledged.RemoveAt(at);
        if (at < _sent)
            _sent--;
    }
}
