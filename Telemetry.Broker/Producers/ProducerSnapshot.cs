namespace Telemetry.Broker.Producers;

/// <summary>What the log knows of a producer in a partition.</summary>
/// <param name="ProducerId">The producer.</param>
/// <param name="Epoch">Its newest epoch; older ones are fenced.</param>
/// <param name="NextSequence">Its records in this log.</param>
/// <param name="SourcePosition">The source position of its last batch that had one; empty for none.</param>
/// <param name="PositionSequence">The sequence that follows that batch.</param>
internal sealed record ProducerSnapshot(string ProducerId, int Epoch, long NextSequence, ReadOnlyMemory<byte> SourcePosition, long PositionSequence);
