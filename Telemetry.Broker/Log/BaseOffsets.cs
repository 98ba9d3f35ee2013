namespace Telemetry.Broker.Log;

/// <summary>A part of a log.</summary>
internal interface ILogPart
{
    /// <summary>The offset of its first record.</summary>
    long BaseOffset { get; }
}

/// <summary>Finds the part of a log that holds an offset.</summary>
internal static class BaseOffsets
{
    /// <summary>The index of the last part that begins at or before the offset; 0 for none.</summary>
    /// <param name="parts">Parts of one log, in order.</param>
    /// <param name="offset">The offset.</param>
    public static int LastUpTo<T>(ReadOnlySpan<T> parts, long offset)
        where T : ILogPart
    {
        int low = 0, high = parts.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (parts[middle].BaseOffset <= offset)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }
}
