using System.CommandLine;
using System.Text.Json;
using Telemetry.Gateway.Fleet;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Commands.Top;

/// <summary><c>top</c>: the fleet in a terminal, live.</summary>
internal static class TopCommand
{
    /// <summary>The gateway that is asked by default.</summary>
    public static readonly Uri UrlDefault = new($"http://localhost:{new GatewayOptions().Port}");

    private const int RedirectedWidth = 200;
    private static readonly TimeSpan IntervalDefault = TimeSpan.FromSeconds(2);

    private static readonly Accepted<GpuState> States = new(
        string.Join(" or ", Enum.GetValues<GpuState>().Select(TopText.State)),
        text => (Enum.GetValues<GpuState>().Any(s => TopText.State(s) == text), Enum.GetValues<GpuState>().FirstOrDefault(s => TopText.State(s) == text)));

    private static readonly Accepted<Uri> Urls = new(
        "a URL, as http://localhost:8080",
        text => (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0, url!));

    /// <summary>The command, with its options.</summary>
    /// <param name="console">Where to write.</param>
    /// <param name="terminal">The terminal that this is; null where it is none.</param>
    public static Command Create(CommandConsole console, TerminalKeys? terminal)
    {
        var url = new ValueOption<Uri>("--url", $"The gateway. Default {UrlDefault.GetLeftPart(UriPartial.Authority)}.", Urls, "url");
        var sort = new ValueOption<TopSort>("--sort", "The order: util (the default), mem, temp, power, age, each with the largest first, or host.", Accepted.Word<TopSort>(), "order");
        var filter = new ValueOption<string>("--filter", "Only GPUs with this in the name of their host, model, pod or namespace.", Accepted.Text("a part of a name"), "text");
        var state = new ValueOption<GpuState>("--state", "Only GPUs of this state.", States, "state");
        var limit = new ValueOption<int>("--limit", "At most so many GPUs. Without it as many as the terminal has lines for, or all.", Accepted.WholeNumber(1, int.MaxValue), "n");
        var interval = new ValueOption<TimeSpan>("--interval", $"How often the gateway is asked. Default {Durations.Format(IntervalDefault)}.", Accepted.Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)), "duration");
        var once = new Option<bool>("--once") { Description = "Once, and without steering the terminal. So it is by itself where the output is no terminal, or one that cannot be steered (TERM=dumb)." };
        var json = new Option<bool>("--json") { Description = "Once, as one JSON document." };
        var command = new Command("top", "Shows the fleet in a terminal, live. Keys: s sorts otherwise, arrows and page keys scroll, q ends.")
        {
            url, sort, filter, state, limit, interval, once, json,
        };
        GatewayCommands.Act(command, async (line, cancellationToken) =>
        {
            using var client = new FleetClient(line.GetValue(url) ?? UrlDefault);
            var view = new TopView(line.GetValue(sort), line.GetValue(filter), line.GetResult(state) is null ? null : line.GetValue(state));
            var most = line.GetResult(limit) is null ? (int?)null : line.GetValue(limit);
            if (line.GetValue(json))
                await WriteJsonAsync(client, view, most, console, cancellationToken);
            else if (line.GetValue(once) || terminal is not { IsSteerable: true })
                await WriteOnceAsync(client, view, most, console, terminal, cancellationToken);
            else
                await new TopLoop(client, console, terminal, most, line.GetResult(interval) is null ? IntervalDefault : line.GetValue(interval)).RunAsync(view, cancellationToken);
            return 0;
        });
        return command;
    }

    private static async Task WriteJsonAsync(FleetClient client, TopView view, int? most, CommandConsole console, CancellationToken cancellationToken)
    {
        var all = await GpusAsync(client, cancellationToken);
        var shown = view.Of(all);
        var answer = new TopAnswer
        {
            Time = DateTimeOffset.UtcNow,
            Summary = TopSummary.Of(all),
            Data = [.. shown.Take(most ?? int.MaxValue).Select(g => g.Record)],
            Total = shown.Count,
        };
        await console.Out.WriteLineAsync(JsonSerializer.Serialize(answer, CommandJson.Default.TopAnswer));
    }

    private static async Task WriteOnceAsync(FleetClient client, TopView view, int? most, CommandConsole console, TerminalKeys? terminal, CancellationToken cancellationToken)
    {
        var all = await GpusAsync(client, cancellationToken);
        var shown = view.Of(all);
        var content = new TopPage.Content(client.Url, DateTimeOffset.UtcNow, view, TopSummary.Of(all), [.. shown.Take(most ?? int.MaxValue)], shown.Count, 0, null);
        var width = terminal?.Size().Width ?? RedirectedWidth;
        await console.Out.WriteAsync(TopPage.Draw(content, width, console.Colours));
    }

    /// <summary>All GPUs, by host and GPU.</summary>
    public static async Task<IReadOnlyList<TopGpu>> GpusAsync(FleetClient client, CancellationToken cancellationToken) =>
        [.. (await client.LatestAsync(cancellationToken)).Select(record => new TopGpu(record))];
}
