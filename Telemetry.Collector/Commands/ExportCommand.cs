using System.CommandLine;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.Storage.Export;
using Telemetry.Storage.Queries;

namespace Telemetry.Collector.Commands;

/// <summary><c>export</c>: writes the rows of the store, as a stream.</summary>
internal static class ExportCommand
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>The command, with its options.</summary>
    public static Command Create(CollectorCommands commands, Func<Stream> openOutput)
    {
        var format = new ValueOption<ExportFormat>("--format", "csv (with a header, as the streamer reads it) or ndjson (a JSON object a line).", Accepted.Word<ExportFormat>(), "csv|ndjson") { Required = true };
        var host = new ValueOption<string>("--host-id", "Only this host.", Accepted.Text("the name of a host"), "host");
        var gpu = new ValueOption<string>("--gpu-id", "Only this GPU index.", Accepted.Text("a GPU's index on its host"), "gpu");
        var start = new ValueOption<DateTimeOffset>("--start-time", "From this time on.", Accepted.Time, "time");
        var end = new ValueOption<DateTimeOffset>("--end-time", "Before this time.", Accepted.Time, "time");
        var metrics = new ValueOption<string[]>("--metrics", "Only these metrics, separated by commas.", Names, "a,b");
        var output = new ValueOption<string>("--output", "Into this file, which must not be there yet, and not to standard output.", Accepted.Text("a file"), "file");
        var command = new Command("export",
            "Writes the rows of the store: by hour, within an hour by GPU and time. Rows that come meanwhile may be among them or not.")
        {
            format, host, gpu, start, end, metrics, output,
        };
        commands.Act(command, async (database, line, cancellationToken) =>
        {
            var query = new ExportQuery
            {
                HostId = line.GetValue(host),
                GpuId = line.GetValue(gpu),
                Start = line.GetResult(start) is null ? null : line.GetValue(start),
                End = line.GetResult(end) is null ? null : line.GetValue(end),
                Metrics = line.GetResult(metrics) is null ? null : line.GetValue(metrics),
            };
            using var reader = new TelemetryReader(database);
            reader.Require();
            query = query with { Metrics = await MetricsAsync(reader, metrics.Name, query.Metrics, cancellationToken) };
            try
            {
                await using var stream = line.GetValue(output) is { } path ? new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 0) : openOutput();
                await WriteAsync(reader, query, line.GetValue(format), stream, cancellationToken);
                return 0;
            }
            catch (IOException error) when (StandardOutput.IsClosed(error))
            {
                return 0; // whoever reads has enough
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new CommandException(ServiceProgram.ExitFailure, $"the export cannot be written: {error.Message}", error);
            }
        });
        return command;
    }

    private static Accepted<string[]> Names { get; } = new("names of metrics, as power_w,temperature_c", text =>
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries);
        return (names.All(name => name.Length > 0), names);
    });

    /// <summary>The columns: those asked for, or all that are there now.</summary>
    private static async Task<IReadOnlyList<string>> MetricsAsync(
        TelemetryReader reader, string option, IReadOnlyList<string>? asked, CancellationToken cancellationToken)
    {
        var known = await reader.MetricsAsync(cancellationToken);
        if (asked?.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            throw new CommandException(ServiceProgram.ExitBadSettings,
                $"{option}: '{unknown}' is not accepted: expected metrics of the store: {string.Join(", ", known)}");
        }
        return asked is null ? known : [.. asked.Distinct()];
    }

    private static async Task WriteAsync(TelemetryReader reader, ExportQuery query, ExportFormat format, Stream stream, CancellationToken cancellationToken)
    {
        await using var buffer = new BufferedStream(stream, BufferBytes);
        // Labels as they are: the streamer reads them back.
        await using var writer = RowWriter.Create(format, buffer, query.Metrics!, escapesFormulas: false);
        await foreach (var row in reader.ExportAsync(query, cancellationToken))
            writer.Write(row);
    }
}
