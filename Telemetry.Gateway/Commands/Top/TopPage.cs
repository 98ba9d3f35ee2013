using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using Telemetry.Gateway.Fleet;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Gateway.Commands.Top;

/// <summary>Draws the fleet: its figures, and a line for each GPU. Texts from the gateway are made printable first.</summary>
internal static class TopPage
{
    /// <summary>Lines above the first GPU.</summary>
    public const int HeadLines = 4;

    private const int BarWidth = 10;
    private const int LabelMax = 48;

    private static readonly Style Faint = new(decoration: Decoration.Dim);
    private static readonly Style Bold = new(decoration: Decoration.Bold);

    /// <summary>What is drawn.</summary>
    /// <param name="Url">The gateway.</param>
    /// <param name="Time">When it was asked.</param>
    /// <param name="View">What was asked for.</param>
    /// <param name="Summary">All GPUs in figures.</param>
    /// <param name="Gpus">The lines.</param>
    /// <param name="Total">How many match.</param>
    /// <param name="First">The index of the first line.</param>
    /// <param name="Trouble">Why the figures are old; null where they are not.</param>
    public sealed record Content(
        string Url, DateTimeOffset Time, TopView View, TopSummary Summary, IReadOnlyList<TopGpu> Gpus, int Total, int First, string? Trouble);

    /// <summary>Draws a page.</summary>
    /// <param name="content">What.</param>
    /// <param name="width">The columns that there are; lines are cut there.</param>
    /// <param name="colours">Whether to use colours.</param>
    public static string Draw(Content content, int width, bool colours)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = true;
        Line(console, Title(content), Faint, width);
        Line(console, Figures(content.Summary), Bold, width);
        Line(console, content.Trouble ?? "", new Style(Color.Red), width);
        console.Write(Lines(content.Gpus));
        return string.Join('\n', text.ToString().Split('\n').Select(line => line.TrimEnd(' ')));
    }

    private static string Title(Content content)
    {
        var view = content.View;
        var parts = new List<string> { $"gateway {content.Url}", content.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) };
        parts.Add($"by {view.Sort.ToString().ToLowerInvariant()}");
        if (view.Filter is { } filter)
            parts.Add($"filter '{filter}'");
        if (view.State is { } state)
            parts.Add(TopText.State(state));
        if (content.Gpus.Count < content.Total)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{content.First + 1}–{content.First + content.Gpus.Count} of {content.Total}"));
        return string.Join("   ", parts);
    }

    private static string Figures(TopSummary summary)
    {
        var states = summary.States.Where(s => s.Value > 0).Select(s => $"{s.Value} {s.Key}");
        var gpus = summary.Gpus == 1 ? "1 GPU" : $"{summary.Gpus} GPUs";
        var hottest = summary.Hottest is { } gpu ? $"{TopText.Temperature(summary.HottestC)} {gpu}" : TopText.Label(null);
        return summary.Gpus == 0
            ? "no GPU has reported yet: start a streamer and a collector, and `doctor` says what is missing"
            : $"{gpus}: {string.Join(", ", states)}   power {TopText.Power(summary.PowerW)}   hottest {hottest}";
    }

    private static Table Lines(IReadOnlyList<TopGpu> gpus)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        void Column(string title, bool isNumber = false)
        {
            var column = new TableColumn(new Text(title, Faint)).NoWrap().PadLeft(0).PadRight(2);
            table.AddColumn(isNumber ? column.RightAligned() : column);
        }
        Column("host");
        Column("gpu");
        Column("util");
        Column("", isNumber: true);
        Column("memory");
        Column("", isNumber: true);
        Column("temp", isNumber: true);
        Column("power", isNumber: true);
        Column("state");
        Column("age", isNumber: true);
        Column("pod");
        foreach (var gpu in gpus)
            table.AddRow(Cells(gpu));
        return table;
    }

    private static IRenderable[] Cells(TopGpu gpu)
    {
        var record = gpu.Record;
        var pod = record.Namespace is null ? TopText.Label(record.Pod) : $"{record.Namespace}/{TopText.Label(record.Pod)}";
        var style = record.State switch
        {
            GpuState.Active => new Style(Color.Green),
            GpuState.IdleHeld => new Style(Color.Yellow),
            GpuState.Lost => new Style(Color.Red),
            _ => Style.Plain,
        };
        return
        [
            Cell(record.HostId), Cell(record.GpuId),
            Cell(TopText.Bar(gpu.Busy / 100, BarWidth), new Style(Color.Green)), Cell(TopText.Percent(gpu.Busy)),
            Cell(TopText.Bar(gpu.MemoryShare, BarWidth), new Style(Color.Blue)), Cell(TopText.Memory(gpu.MemoryUsed, gpu.MemoryTotal)),
            Cell(TopText.Temperature(gpu.Temperature)), Cell(TopText.Power(gpu.Power)),
            Cell(TopText.State(record.State), style), Cell(TopText.Age(record.AgeSeconds)), Cell(pod),
        ];
    }

    private static Text Cell(string text, Style? style = null) => new(Cut(text, LabelMax), style);

    private static void Line(IAnsiConsole console, string text, Style style, int width)
    {
        console.Write(new Text(Cut(text, width), style) { Overflow = Overflow.Crop });
        console.Write(new Text("\n"));
    }

    // Printable first, so that what is cut off is never a part of what makes it so.
    private static string Cut(string text, int width)
    {
        var printable = PrintableText.Line(text);
        return PrintableText.Width(printable) <= width ? printable : string.Concat(printable.EnumerateRunes().Take(Math.Max(width - 1, 0)).Select(r => r.ToString())) + "…";
    }
}
