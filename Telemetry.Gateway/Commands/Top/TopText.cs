using System.Globalization;
using Telemetry.Gateway.Fleet;

namespace Telemetry.Gateway.Commands.Top;

/// <summary>Values as <c>top</c> writes them; what is not known is a dash, and never 0.</summary>
internal static class TopText
{
    private const string Unknown = "–";
    private const string Blocks = " ▏▎▍▌▋▊▉█";

    /// <summary>A state, as the API names it.</summary>
    public static string State(GpuState state) => state == GpuState.IdleHeld ? "idle_held" : state.ToString().ToLowerInvariant();

    /// <summary>A bar for a share of 0 to 1, in eighths of a character; nothing for null.</summary>
    public static string Bar(double? share, int width)
    {
        if (share is not { } known)
            return "";
        var eighths = (int)Math.Round(Math.Clamp(known, 0, 1) * width * 8);
        var rest = eighths % 8;
        return new string(Blocks[8], eighths / 8) + (rest > 0 ? Blocks[rest] : "");
    }

    /// <summary>Percent.</summary>
    public static string Percent(double? percent) => Number(percent, "0", "%");

    /// <summary>Memory in use and in all, GiB.</summary>
    public static string Memory(double? used, double? total) => (used, total) switch
    {
        (null, _) => Unknown,
        ({ } mib, null) => Number(mib / 1024, "0.0", " GiB"),
        ({ } mib, { } all) => string.Create(CultureInfo.InvariantCulture, $"{mib / 1024:0.0}/{all / 1024:0} GiB"),
    };

    /// <summary>Degrees Celsius.</summary>
    public static string Temperature(double? degrees) => Number(degrees, "0", " °C");

    /// <summary>Watts.</summary>
    public static string Power(double? watts) => watts >= 10_000 ? Number(watts / 1000, "0.0", " kW") : Number(watts, "0", " W");

    /// <summary>An age, in its largest unit.</summary>
    public static string Age(double seconds) => seconds switch
    {
        < 10 => Number(seconds, "0.0", "s"),
        < 120 => Number(Math.Floor(seconds), "0", "s"),
        < 7200 => Number(Math.Floor(seconds / 60), "0", "m"),
        < 172_800 => Number(Math.Floor(seconds / 3600), "0", "h"),
        _ => Number(Math.Floor(seconds / 86_400), "0", "d"),
    };

    /// <summary>A text that may not be there.</summary>
    public static string Label(string? text) => string.IsNullOrEmpty(text) ? Unknown : text;

    private static string Number(double? value, string format, string unit) =>
        value is { } known && double.IsFinite(known) ? known.ToString(format, CultureInfo.InvariantCulture) + unit : Unknown;
}
