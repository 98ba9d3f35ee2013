using System.Text;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Gateway.Commands.Top;

/// <summary>The live page: asks in steps of time, draws, and does what keys say, also while it asks. The terminal is left as it was.</summary>
internal sealed class TopLoop(FleetClient client, CommandConsole console, TerminalKeys terminal, int? most, TimeSpan interval)
{
    // Another screen and no cursor, so that what stood in the terminal is there again afterwards.
    private const string Enter = "\e[?1049h\e[?25l", Leave = "\e[?25h\e[?1049l";

    // A line is emptied before its text: after a text as wide as the screen, some terminals would take its last character.
    private const string Home = "\e[H", EmptyLine = "\e[K", EmptyRest = "\e[J";

    private static readonly TimeSpan KeyInterval = TimeSpan.FromMilliseconds(50);

    private int _first;
    private (int Width, int Height) _size;
    private bool _isEnded;

    /// <summary>Runs until <c>q</c>, Esc or Ctrl+C.</summary>
    /// <exception cref="CommandException">There is no gateway at the start; later, the page says so.</exception>
    public async Task RunAsync(TopView view, CancellationToken cancellationToken)
    {
        var asked = Environment.TickCount64;
        var gpus = await TopCommand.GpusAsync(client, cancellationToken);
        var (answeredAt, trouble) = (DateTimeOffset.UtcNow, (string?)null);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<IReadOnlyList<TopGpu>>? asking = null;
        await console.Out.WriteAsync(Enter);
        try
        {
            await DrawAsync(view, gpus, answeredAt, trouble);
            while (true)
            {
                var (next, isChanged) = Keys(view);
                if (_isEnded)
                    return;
                view = next;
                if (asking is { IsCompleted: true })
                {
                    try
                    {
                        gpus = await asking;
                        (answeredAt, trouble) = (DateTimeOffset.UtcNow, null);
                    }
                    catch (CommandException error)
                    {
                        trouble = error.Message + "; what follows is old";
                    }
                    (asking, isChanged) = (null, true);
                }
                if (asking is null && Environment.TickCount64 - asked >= interval.TotalMilliseconds)
                    (asking, asked) = (TopCommand.GpusAsync(client, stop.Token), Environment.TickCount64);
                if (isChanged || terminal.Size() != _size)
                    await DrawAsync(view, gpus, answeredAt, trouble);
                await Task.Delay(KeyInterval, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl+C is a way to end it.
        }
        finally
        {
            await console.Out.WriteAsync(Leave);
            await console.Out.FlushAsync(CancellationToken.None);
            await stop.CancelAsync();
            if (asking is not null)
                await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // nobody wants its answer
        }
    }

    private async Task DrawAsync(TopView view, IReadOnlyList<TopGpu> gpus, DateTimeOffset answeredAt, string? trouble)
    {
        _size = terminal.Size();
        var (width, height) = _size;
        var shown = view.Of(gpus);
        var lines = Math.Max(Math.Min(most ?? int.MaxValue, height - TopPage.HeadLines - 1), 1);
        _first = Math.Clamp(_first, 0, Math.Max(shown.Count - lines, 0));
        var content = new TopPage.Content(client.Url, answeredAt, view, TopSummary.Of(gpus), [.. shown.Skip(_first).Take(lines)], shown.Count, _first, trouble);
        var page = TopPage.Draw(content, width, console.Colours).TrimEnd('\n').Split('\n').Take(height - 1);
        var text = new StringBuilder(Home);
        foreach (var line in page)
            text.Append(EmptyLine).Append(line).Append('\n');
        await console.Out.WriteAsync(text.Append(EmptyRest));
        await console.Out.FlushAsync(CancellationToken.None);
    }

    private (TopView View, bool IsChanged) Keys(TopView view)
    {
        var isChanged = false;
        var page = Math.Max(terminal.Size().Height - TopPage.HeadLines - 1, 1);
        while (terminal.Key() is { } key)
        {
            isChanged = true;
            switch (key.Key)
            {
                case ConsoleKey.Q or ConsoleKey.Escape:
                    _isEnded = true;
                    return (view, true);
                case ConsoleKey.S:
                    (view, _first) = (view.NextSort(), 0);
                    break;
                case ConsoleKey.DownArrow or ConsoleKey.J:
                    _first++;
                    break;
                case ConsoleKey.UpArrow or ConsoleKey.K:
                    _first--;
                    break;
                case ConsoleKey.PageDown or ConsoleKey.Spacebar:
                    _first += page;
                    break;
                case ConsoleKey.PageUp:
                    _first -= page;
                    break;
                case ConsoleKey.Home:
                    _first = 0;
                    break;
                case ConsoleKey.End:
                    _first = int.MaxValue / 2;
                    break;
            }
        }
        return (view, isChanged);
    }
}
