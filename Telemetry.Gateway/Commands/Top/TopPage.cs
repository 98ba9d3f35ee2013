using System.Globalization;
using Spectre.Console;
using Telemetry.Gateway.Fleet;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Gateway.Commands.Top;

/// <summary>Draws the fleet: its figures, and a line for each GPU. Texts from the gateway are made printable first.</summary>
internal static class TopPage
{
    /// <summary>Lines above the first GPU.</summary>
    public const int HeadLines = 4;

    private const int BarWidth = 10;
    private const string Gap = "  ";
    private const int LabelLeast = 8;

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
        console.Profile.Width = int.MaxValue; // lines are cut here, by what PrintableText counts as a column
        console.Profile.Capabilities.Unicode = true;
        Line(console, Title(content), Faint, width);
        Line(console, Figures(content.Summary), Bold, width);
        Line(console, content.Trouble ?? "", new Style(Color.Red), width);
        var columns = Fitting(content.Gpus, width);
        Row(console, columns, column => (column.Title, Faint));
        for (var i = 0; i < content.Gpus.Count; i++)
            Row(console, columns, column => column.Cells[i]);
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

    /// <summary>A column as it would be with all the room it wants.</summary>
    /// <param name="Title">Its head.</param>
    /// <param name="IsNumber">Whether it stands at the right.</param>
    /// <param name="Cells">Its texts, each with its style.</param>
    /// <param name="Wanted">The width that they take.</param>
    /// <param name="Least">The width to which it may be cut.</param>
    /// <param name="IsBar">Whether it only draws what another one says.</param>
    private sealed record Column(string Title, bool IsNumber, List<(string Text, Style Style)> Cells, int Wanted, int Least, bool IsBar = false)
    {
        public int Width { get; set; } = Wanted;
    }

    // Lines never wrap: where there is too little room, labels are cut first, then bars are left out, then what stands at the
    // right. The room that this leaves is the labels' again.
    private static List<Column> Fitting(IReadOnlyList<TopGpu> gpus, int width)
    {
        var columns = Columns(gpus);
        int Excess() => columns.Sum(c => c.Width + Gap.Length) - Gap.Length - width;
        foreach (var column in columns.Where(c => c.Width > c.Least).Reverse())
            column.Width -= Math.Clamp(Excess(), 0, column.Width - column.Least);
        while (Excess() > 0 && columns.Count > 1)
            columns.RemoveAt(columns.FindLastIndex(c => c.IsBar) is >= 0 and var bar ? bar : columns.Count - 1);
        foreach (var column in columns)
            column.Width += Math.Clamp(-Excess(), 0, column.Wanted - column.Width);
        columns[0].Width = Math.Min(columns[0].Width, width);
        return columns;
    }

    private static List<Column> Columns(IReadOnlyList<TopGpu> gpus)
    {
        Column Of(string title, Func<TopGpu, string> text, bool isNumber = false, int least = int.MaxValue, Func<TopGpu, Style>? style = null)
        {
            List<(string Text, Style Style)> cells = [.. gpus.Select(g => (PrintableText.Line(text(g)), style?.Invoke(g) ?? Style.Plain))];
            return new(title, isNumber, cells, cells.Select(c => PrintableText.Width(c.Text)).Append(title.Length).Max(), least);
        }

        Column Bar(string title, Func<TopGpu, double?> share, Color colour) =>
            new(title, false, [.. gpus.Select(g => (TopText.Bar(share(g), BarWidth), new Style(colour)))], BarWidth, int.MaxValue, IsBar: true);
        return
        [
            Of("host", g => g.Record.HostId, least: LabelLeast),
            Of("gpu", g => g.Record.GpuId, least: LabelLeast),
            Bar("util", g => g.Busy / 100, Color.Green),
            Of("", g => TopText.Percent(g.Busy), isNumber: true),
            Bar("memory", g => g.MemoryShare, Color.Blue),
            Of("", g => TopText.Memory(g.MemoryUsed, g.MemoryTotal), isNumber: true),
            Of("temp", g => TopText.Temperature(g.Temperature), isNumber: true),
            Of("power", g => TopText.Power(g.Power), isNumber: true),
            Of("state", g => TopText.State(g.Record.State), style: g => StyleOf(g.Record.State)),
            Of("age", g => TopText.Age(g.Record.AgeSeconds), isNumber: true),
            Of("pod", Pod, least: LabelLeast),
        ];
    }

    private static Style StyleOf(GpuState state) => state switch
    {
        GpuState.Active => new Style(Color.Green),
        GpuState.IdleHeld => new Style(Color.Yellow),
        GpuState.Lost => new Style(Color.Red),
        _ => Style.Plain,
    };

    private static string Pod(TopGpu gpu) =>
        gpu.Record.Namespace is { } name ? $"{name}/{TopText.Label(gpu.Record.Pod)}" : TopText.Label(gpu.Record.Pod);

    private static void Line(IAnsiConsole console, string text, Style style, int width) =>
        console.Write(new Paragraph(Cut(text, width) + "\n", style));

    private static void Row(IAnsiConsole console, List<Column> columns, Func<Column, (string Text, Style Style)> cell)
    {
        var line = new Paragraph();
        foreach (var column in columns)
        {
            var (text, style) = cell(column);
            var shown = Cut(text, column.Width);
            var padding = new string(' ', column.Width - PrintableText.Width(shown));
            line.Append(column.IsNumber ? padding : "").Append(shown, style)
                .Append(ReferenceEquals(column, columns[^1]) ? "\n" : column.IsNumber ? Gap : padding + Gap);
        }
        console.Write(line);
    }

    // Printable first, so that what is cut off is never a part of what makes it so.
    private static string Cut(string text, int width) => PrintableText.Cut(PrintableText.Line(text), width);
}
