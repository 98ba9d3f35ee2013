using Telemetry.Broker.Producers;

namespace Telemetry.Broker.Log;

/// <summary>What stands in a log of a producer.</summary>
internal sealed class ProducerMark(string producerId)
{
    public string ProducerId { get; } = producerId;

    public int Epoch { get; private set; }

    public long NextSequence { get; private set; }

    public ReadOnlyMemory<byte> SourcePosition { get; private set; }

    public long PositionSequence { get; private set; }

    /// <summary>Log time of the last use.</summary>
    public long UsedLogMs { get; private set; }

    /// <summary>Takes over a frame: a batch of this producer, or what is known of it.</summary>
    public void Apply(in Frame frame)
    {
        Epoch = Math.Max(Epoch, (int)frame.Epoch);
        UsedLogMs = Math.Max(UsedLogMs, frame.LogTime);
        if (frame.Kind == FrameKind.Batch)
        {
            NextSequence = frame.Sequence + frame.Records;
            if (frame.SourcePosition.IsEmpty)
                return;
            PositionSequence = NextSequence;
        }
        else
        {
            // Written in the same round as a batch that stands before it, it does not know of that yet.
            if (frame.Time < NextSequence)
                return;
            NextSequence = frame.Time;
            PositionSequence = frame.Sequence;
        }
        // The frame's memory is a buffer of its own only here.
        SourcePosition = frame.SourcePosition.ToArray();
    }

    /// <summary>The frame that says all of it.</summary>
    public Frame ToFrame(long offset) => new()
    {
        Kind = FrameKind.Producer,
        Offset = offset,
        Time = NextSequence,
        LogTime = UsedLogMs,
        Sequence = PositionSequence,
        Epoch = Epoch,
        ProducerId = ProducerId,
        SourcePosition = SourcePosition,
    };

    public ProducerSnapshot Snapshot() => new(ProducerId, Epoch, NextSequence, SourcePosition, PositionSequence);
}
