using System.Diagnostics;
using Telemetry.Storage;

namespace Telemetry.Collector.Intake;

/// <summary>What a batch has for the store.</summary>
/// <param name="Rows">Its good records.</param>
/// <param name="Records">How many they are.</param>
/// <param name="DeadLetters">The others.</param>
/// <param name="NewestTime">The time of its last good record, in milliseconds; null without one.</param>
/// <param name="Trace">The span that made it.</param>
internal sealed record DecodedBatch(
    IReadOnlyList<RowBlock> Rows, int Records, IReadOnlyList<DeadLetter> DeadLetters, long? NewestTime, ActivityContext Trace)
{
    /// <summary>Of a step without a batch.</summary>
    public static readonly DecodedBatch Empty = new([], 0, [], null, default);
}
