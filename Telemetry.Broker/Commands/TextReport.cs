using System.Text;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Broker.Commands;

/// <summary>What a colour means. Everything can be read without it.</summary>
internal enum Tone
{
    /// <summary>As it should be.</summary>
    Plain,

    /// <summary>Less important.</summary>
    Faint,

    /// <summary>May need attention: a lag, a paused group.</summary>
    Notice,

    /// <summary>Needs attention: nobody owns it, records are damaged or lost.</summary>
    Alarm,
}

/// <summary>A piece of text with what it means.</summary>
internal readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Cell(string text) => new(text);
}

/// <summary>A column of a table; numbers stand at the right.</summary>
internal readonly record struct Column(string Title, bool IsNumber = false);

/// <summary>Text for people, line by line. Nothing gets into it that could steer a terminal, except for its own colours.</summary>
internal sealed class TextReport(bool colours)
{
    private const string Gap = "  ", Reset = "\e[0m";

    private readonly StringBuilder _text = new();

    /// <summary>A line of cells, with nothing between them.</summary>
    public void Line(params ReadOnlySpan<Cell> cells)
    {
        foreach (var cell in cells)
            Append(PrintableText.Of(cell.Text), cell.Tone);
        _text.Append('\n');
    }

    /// <summary>A table with its head; the columns are as wide as they have to be.</summary>
    public void Table(IReadOnlyList<Column> columns, IEnumerable<Cell[]> rows)
    {
        var lines = rows.Prepend([.. columns.Select(column => new Cell(column.Title, Tone.Faint))])
            .Select(cells => cells.Select(cell => cell with { Text = PrintableText.Of(cell.Text) }).ToArray()).ToList();
        var widths = columns.Select((_, i) => lines.Max(cells => PrintableText.Width(cells[i].Text))).ToArray();
        foreach (var cells in lines)
        {
            // Nothing follows the last text of a line.
            var last = Array.FindLastIndex(cells, cell => cell.Text.Length > 0);
            for (var i = 0; i <= last; i++)
            {
                var padding = new string(' ', widths[i] - PrintableText.Width(cells[i].Text));
                if (columns[i].IsNumber)
                    _text.Append(padding);
                Append(cells[i].Text, cells[i].Tone);
                if (!columns[i].IsNumber && i < last)
                    _text.Append(padding);
                if (i < last)
                    _text.Append(Gap);
            }
            _text.Append('\n');
        }
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private void Append(string printable, Tone tone)
    {
        var colour = !colours ? "" : tone switch
        {
            Tone.Faint => "\e[2m",
            Tone.Notice => "\e[33m",
            Tone.Alarm => "\e[31m",
            _ => "",
        };
        _text.Append(colour).Append(printable);
        if (colour.Length > 0)
            _text.Append(Reset);
    }
}
