using System.Globalization;
using Spectre.Console;
using Telemetry.Streamer.Shards;

namespace Telemetry.Streamer;

/// <summary>Shows a person how far a finite run is; elsewhere there are only log lines.</summary>
/// <param name="console">The terminal; null where output is redirected.</param>
internal sealed class StreamerProgress(IAnsiConsole? console)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether a run shows its progress, so that log lines below warnings would only disturb it.</summary>
    public bool Shows(StreamerOptions options) => console is not null && options.IsFinite;

    /// <summary>Shows a run until the result is disposed.</summary>
    public Display Show(StreamerOptions options, StreamTotals totals, TimeProvider time) =>
        new(Shows(options) ? console : null, totals, time);

    /// <summary>The progress of one run.</summary>
    internal sealed class Display : IAsyncDisposable
    {
        private readonly CancellationTokenSource _ended = new();
        private readonly IAnsiConsole? _console;
        private readonly StreamTotals _totals;
        private readonly TimeProvider _time;
        private readonly Task _showing;
        private string _conclusion = "";

        public Display(IAnsiConsole? console, StreamTotals totals, TimeProvider time)
        {
            _console = console;
            _totals = totals;
            _time = time;
            _showing = console is null ? Task.CompletedTask : Task.Run(() => ShowAsync(console));
        }

        /// <summary>The bytes of the input.</summary>
        public long Total { get; set; }

        /// <summary>The line that stays.</summary>
        public void Conclude(string line) => _conclusion = line;

        public async ValueTask DisposeAsync()
        {
            await _ended.CancelAsync();
            await _showing;
            _ended.Dispose();
            if (_conclusion.Length > 0)
                _console?.Profile.Out.Writer.WriteLine(_conclusion); // in one line, which the console's own would wrap
        }

        private Task ShowAsync(IAnsiConsole console) =>
            console.Progress().AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new RemainingTimeColumn())
                .StartAsync(async context =>
                {
                    var task = context.AddTask("streaming");
                    var (begin, rowsBefore) = (_time.GetTimestamp(), 0L);
                    while (!_ended.IsCancellationRequested)
                    {
                        await Task.WhenAny(Task.Delay(Period, _time, _ended.Token));
                        var (elapsed, rows) = (_time.GetElapsedTime(begin).TotalSeconds, _totals.Rows);
                        if (elapsed > 0)
                            task.Description = string.Create(CultureInfo.InvariantCulture, $"{rows} rows, {(rows - rowsBefore) / elapsed:0} rows/s");
                        (begin, rowsBefore) = (_time.GetTimestamp(), rows);
                        task.MaxValue = Math.Max(1, Total);
                        task.Value = Math.Min(_totals.BytesDone, Total);
                    }
                });
    }
}
