namespace Telemetry.Hosting.Run;

/// <summary>Writes the lines of all processes, each with its source in front, so that no two lines mix.</summary>
internal class HostConsole(TextWriter output, TextWriter error, bool colour)
{
    /// <summary>The source of the host's own lines.</summary>
    public const string Host = "host";

    // ANSI foreground colours that can be read on light and on dark; red is left for what has failed.
    private static readonly int[] Palette = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _colours = [];

    /// <summary>The console of this process; in colour where it is a terminal and NO_COLOR is not set.</summary>
    public static HostConsole OfThisProcess()
    {
        var colour = !Console.IsOutputRedirected
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && Environment.GetEnvironmentVariable("TERM") != "dumb";
        return new HostConsole(Console.Out, Console.Error, colour);
    }

    /// <summary>Writes <c>[source] text</c>.</summary>
    public virtual void Line(string source, string text, bool isError = false)
    {
        lock (_lock)
        {
            var prefix = colour ? $"\e[{ColourOf(source)}m[{source}]\e[0m " : $"[{source}] ";
            (isError ? error : output).WriteLine(prefix + text);
        }
    }

    /// <summary>Writes lines as they are, together.</summary>
    public void Text(string text)
    {
        lock (_lock)
            output.WriteLine(text);
    }

    private int ColourOf(string source)
    {
        if (!_colours.TryGetValue(source, out var found))
            _colours[source] = found = Palette[_colours.Count % Palette.Length];
        return found;
    }
}
