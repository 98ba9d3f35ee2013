using System.CommandLine;

namespace Telemetry.Benchmarks.Dashboard;

/// <summary><c>dashboard</c>: how long the first page takes, and what it asks for.</summary>
public static class DashboardCommand
{
    /// <summary>The command, with its options.</summary>
    public static Command Create()
    {
        var gpus = WholeNumbers.Option("--gpus", "GPUs of the fleet, eight on each host.", 10_000);
        var hours = WholeNumbers.Option("--hours", "Hours of history.", 24);
        var interval = WholeNumbers.Option("--interval", "Seconds between two rows of a GPU.", 60);
        var runs = WholeNumbers.Option("--runs", "How often each figure is measured.", 20);
        var chromium = new Option<string>("--chromium") { Description = "The browser.", DefaultValueFactory = _ => "/usr/bin/chromium" };
        var data = new Option<string>("--data") { Description = "Where a folder for the database is made, and removed again.", DefaultValueFactory = _ => Path.GetTempPath() };
        var command = new Command("dashboard", "How long the gateway takes for what the dashboard asks, and a browser for its first page.") { gpus, hours, interval, runs, chromium, data };
        command.SetAction(async (result, cancellationToken) =>
        {
            Lines.Note("machine", $"{Machine.Describe()}");
            await DashboardBenchmark.MeasureAsync(new DashboardSettings(
                result.GetValue(gpus), TimeSpan.FromHours(result.GetValue(hours)), TimeSpan.FromSeconds(result.GetValue(interval)),
                result.GetValue(runs), result.GetValue(chromium)!, result.GetValue(data)!), cancellationToken);
        });
        return command;
    }
}

/// <summary>What the dashboard is measured with.</summary>
internal sealed record DashboardSettings(int Gpus, TimeSpan Length, TimeSpan Interval, int Runs, string Chromium, string Folder);
