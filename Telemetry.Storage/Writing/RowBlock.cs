using Telemetry.Storage.Queries;

namespace Telemetry.Storage;

/// <summary>
/// Rows to write, as columns: the rows [<see cref="Start"/>, <see cref="Start"/> + <see cref="Count"/>) of columns of equal
/// length, so that several blocks can share the columns of one record batch and leave rows out. Nothing is copied: the
/// columns must not change until the write has ended.
/// </summary>
public sealed record RowBlock
{
    /// <summary>Each row's time in milliseconds since 1970-01-01 UTC, from <see cref="TimeMin"/> to <see cref="TimeMax"/>.</summary>
    public required ReadOnlyMemory<long> Times { get; init; }

    /// <summary>Each row's index into <see cref="Series"/>.</summary>
    public required ReadOnlyMemory<int> SeriesOf { get; init; }

    /// <summary>The identities.</summary>
    public required IReadOnlyList<GpuLabels> Series { get; init; }

    /// <summary>The metrics' names, each once.</summary>
    public required IReadOnlyList<string> Metrics { get; init; }

    /// <summary>A column for each metric; NaN where the row does not have it. Infinities are refused and counted.</summary>
    public required IReadOnlyList<ReadOnlyMemory<double>> Values { get; init; }

    /// <summary>The first row to write.</summary>
    public int Start { get; init; }

    /// <summary>How many rows to write.</summary>
    public required int Count { get; init; }

    /// <summary>The earliest time that can be stored: the year 1.</summary>
    public const long TimeMin = -62_135_596_800_000;

    /// <summary>The latest time that can be stored: the end of the year 9999.</summary>
    public const long TimeMax = 253_402_300_799_999;
}
