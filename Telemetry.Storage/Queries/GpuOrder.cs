using System.Globalization;

namespace Telemetry.Storage.Queries;

/// <summary>The order of GPU indices on a host: numbers by value, before other names.</summary>
internal sealed class GpuOrder : IComparer<string?>
{
    public static readonly GpuOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        var isNumberX = long.TryParse(x, NumberStyles.None, CultureInfo.InvariantCulture, out var numberX);
        var isNumberY = long.TryParse(y, NumberStyles.None, CultureInfo.InvariantCulture, out var numberY);
        if (isNumberX && isNumberY && numberX != numberY)
            return numberX.CompareTo(numberY);
        return isNumberX != isNumberY ? (isNumberX ? -1 : 1) : string.CompareOrdinal(x, y);
    }
}
