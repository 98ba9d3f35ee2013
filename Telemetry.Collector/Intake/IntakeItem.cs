namespace Telemetry.Collector.Intake;

/// <summary>What goes from the readers to the writer, in order.</summary>
internal abstract record IntakeItem
{
    /// <summary>A step of a partition, being decoded.</summary>
    public sealed record Step(PartitionSession Session, PartitionStep Move, Task<DecodedBatch> Decoded, IDisposable Room) : IntakeItem
    {
        /// <summary>The records that it may bring; a gap counts as one, so that it is written too.</summary>
        public int Records { get; } = Math.Max(1, (Move.Batch?.RecordCount ?? 0) - Move.Skip);
    }

    /// <summary>Everything before this is to be written now.</summary>
    public sealed record Flush(TaskCompletionSource Written) : IntakeItem;
}
