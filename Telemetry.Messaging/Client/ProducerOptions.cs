using Microsoft.Extensions.Logging;

namespace Telemetry.Messaging.Client;

/// <summary>How a producer publishes.</summary>
public sealed record ProducerOptions
{
    /// <summary>The topic; made on first use.</summary>
    public required string Topic { get; init; }

    /// <summary>The producer's name in the log, stable over restarts.</summary>
    public required string ProducerId { get; init; }

    /// <summary>Batches sent but not yet acknowledged, at most, in all partitions; a further one waits.</summary>
    public int InFlightMax { get; init; } = 16;

    /// <summary>How long the broker may hold a publish while the partition is full, before it refuses and the client backs off; at most 30 s.</summary>
    public TimeSpan FullWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Gets a line when the queue is lost and one when it is back (events 5000–5019); none by default.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The clock of waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What the log knows of a producer in one partition.</summary>
/// <param name="NextSequence">Records of this producer in the log.</param>
/// <param name="SourcePosition">The position published last; empty for none.</param>
/// <param name="RecordsAfterPosition">Records that were appended after the batch that carried it.</param>
public sealed record ProducerState(long NextSequence, ReadOnlyMemory<byte> SourcePosition, long RecordsAfterPosition);

/// <summary>The answer to a publish.</summary>
/// <param name="BaseOffset">The offset of the batch's first record; -1 for a duplicate whose offset is forgotten.</param>
/// <param name="Duplicate">It was in the log already.</param>
public readonly record struct PublishResult(long BaseOffset, bool Duplicate);
