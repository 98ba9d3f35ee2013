using System.Globalization;

namespace Telemetry.Storage.Queries;

/// <summary>A place in the order in which a store was written: after its row <paramref name="Row"/>; 0 is before the first.</summary>
/// <param name="Row">The row's number.</param>
/// <param name="Check">Tells the row from the one of the same number in another store, or in this one after a backup was restored.</param>
public readonly record struct StorePosition(long Row, uint Check)
{
    /// <summary>Before the first row.</summary>
    public static readonly StorePosition Start;

    /// <summary>The position as a short text without spaces.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Row}-{Check:x}");

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string text, out StorePosition position)
    {
        position = default;
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0
            || !long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var row)
            || !uint.TryParse(text.AsSpan(dash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var check))
        {
            return false;
        }
        position = new StorePosition(row, check);
        return true;
    }
}

/// <summary>Rows in the order of their writing.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Next">After the last of them.</param>
/// <param name="HasMore">Whether more were there when these were read.</param>
/// <param name="Continues">
/// Whether nothing lies between the position that was asked for and the rows. Otherwise that position is not of this store,
/// or what followed has left by age: then there are no rows, and <paramref name="Next"/> is the end of the store.
/// </param>
public sealed record WrittenRows(IReadOnlyList<TelemetryRow> Rows, StorePosition Next, bool HasMore, bool Continues);
