using Telemetry.Messaging.Client;
using Telemetry.ServiceDefaults;
using Telemetry.Streamer.Shards;
using Telemetry.Streamer.Sources;

namespace Telemetry.Streamer;

/// <summary>Streams for as long as the program runs: one session after another while the input is replaced; then ends the program.</summary>
internal sealed class StreamerWorker(
    StreamerOptions options, IInputQueue queue, StreamerMetrics metrics, TimeProvider time, ILogger<StreamerWorker> logger, IHostApplicationLifetime lifetime,
    StreamerProgress progress) : BackgroundService
{
    private static readonly TimeSpan UnreachableLogPeriod = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan InputPollInterval = TimeSpan.FromMilliseconds(500);

    private readonly StreamTotals _totals = new();
    private long? _saidUnreachable;

    /// <summary>0, or 1 when streaming failed.</summary>
    public int ExitCode { get; private set; }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What comes before the first await holds up the start of the program.
        await Task.Yield();
        try
        {
            await StreamAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception error) when (error is StartupException or QueueException)
        {
            StreamerLog.Failed(logger, error.Message, null);
            ExitCode = ServiceProgram.ExitFailure;
        }
        catch (Exception error)
        {
            StreamerLog.Failed(logger, "an unexpected error", error);
            ExitCode = ServiceProgram.ExitFailure;
        }
        if (ExitCode != 0)
            Environment.ExitCode = ExitCode;
        lifetime.StopApplication();
    }

    private async Task StreamAsync(CancellationToken stopping)
    {
        var begin = time.GetTimestamp();
        var badRows = new BadRows(logger, metrics, time);
        var context = new StreamContext(options, queue, metrics, badRows, _totals, time, logger);
        await using var display = progress.Show(options, _totals, time);
        var end = SessionEnd.InputChanged;
        for (var isFirst = true; end == SessionEnd.InputChanged; isFirst = false)
        {
            var input = await OpenInputAsync(isFirst, stopping);
            display.Total = input.Length;
            var partitions = await queue.PartitionsAsync(options.Topic, SayUnreachable, stopping);
            using var session = new StreamSession(context, input, partitions);
            end = await session.RunAsync(stopping);
        }
        badRows.LogSummary();
        Conclude(end, badRows, time.GetElapsedTime(begin), display);
    }

    private void Conclude(SessionEnd end, BadRows badRows, TimeSpan elapsed, StreamerProgress.Display display)
    {
        var (rows, records, seconds) = (_totals.Rows, _totals.Acknowledged, elapsed.TotalSeconds);
        if (end == SessionEnd.Stopped)
        {
            StreamerLog.Stopped(logger, rows, records, seconds);
            return;
        }
        if (records == 0 && _totals.HadState)
        {
            StreamerLog.NothingLeft(logger, options.CsvFile);
            display.Conclude($"done: everything in {options.CsvFile} was sent before; nothing is left to send");
            return;
        }
        var rate = seconds > 0 ? rows / seconds : 0;
        StreamerLog.Done(logger, rows, records, badRows.Rows, badRows.Values, seconds, rate);
        display.Conclude(FormattableString.Invariant(
            $"done: {rows} rows read, {records} records sent, {badRows.Rows} bad rows, {badRows.Values} bad values in {seconds:0.0} s, {rate:0} rows/s"));
    }

    /// <summary>Opens the input. The program does not start without one; one that is being replaced is waited for.</summary>
    private async Task<Input> OpenInputAsync(bool isFirst, CancellationToken stopping)
    {
        var said = "";
        while (true)
        {
            try
            {
                if (Input.Open(options) is { } input)
                    return input;
                if (said.Length == 0)
                    StreamerLog.WaitingForRows(logger, options.CsvFile);
                said = options.CsvFile;
            }
            catch (StartupException error) when (!isFirst && !options.IsFinite)
            {
                if (said != error.Message)
                    StreamerLog.InputUnavailable(logger, error.Message);
                said = error.Message;
            }
            await Task.Delay(InputPollInterval, time, stopping);
        }
    }

    private void SayUnreachable(string reason)
    {
        if (_saidUnreachable is { } said && time.GetElapsedTime(said) < UnreachableLogPeriod)
            return;
        _saidUnreachable = time.GetTimestamp();
        StreamerLog.QueueUnreachable(logger, queue.Address, reason);
    }
}
