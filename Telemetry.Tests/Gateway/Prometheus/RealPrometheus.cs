using System.Diagnostics;
using System.Globalization;
using System.Text;
using Telemetry.Benchmarks.Processes;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway.Prometheus;

/// <summary>A Prometheus server on a free port of 127.0.0.1, with the samples of some records, in a folder of its own.</summary>
internal sealed class RealPrometheus : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("prometheus-");
    private readonly StringBuilder _log = new();
    private Process? _server;

    private RealPrometheus(int port) => Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };

    public HttpClient Client { get; }

    /// <summary>A program of Prometheus, or skips the test where it is not installed. In CI that is a failure.</summary>
    public static string Find(string program)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        if (path is null && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail($"{program} is not on the PATH; .ci/run puts it there");
        if (path is null)
            Assert.Skip($"{program} is not on the PATH (Debian's package prometheus): there is nothing to compare with");
        return path;
    }

    /// <summary>Writes the samples as blocks and starts a server on them.</summary>
    public static async Task<RealPrometheus> StartAsync(IReadOnlyList<TelemetryRow> rows)
    {
        var server = Find("prometheus");
        var port = FreePorts.Take(1)[0];
        var prometheus = new RealPrometheus(port);
        try
        {
            await prometheus.StartAsync(server, port, rows);
            return prometheus;
        }
        catch
        {
            await prometheus.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs promtool to its end, which must be good.</summary>
    public static async Task RunToolAsync(params string[] args)
    {
        var start = new ProcessStartInfo(Find("promtool"), args) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Deadline);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        Assert.True(process.ExitCode == 0, $"promtool {string.Join(' ', args)}: exit code {process.ExitCode}\n{await output}\n{await errors}");
    }

    private async Task StartAsync(string server, int port, IReadOnlyList<TelemetryRow> rows)
    {
        var (samples, data, config) = (Path.Combine(_folder.FullName, "samples.om"), Path.Combine(_folder.FullName, "data"), Path.Combine(_folder.FullName, "prometheus.yml"));
        await File.WriteAllTextAsync(samples, OpenMetrics(rows), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(config, "global: {}\n", TestContext.Current.CancellationToken);
        await RunToolAsync("tsdb", "create-blocks-from", "openmetrics", samples, data);

        var start = new ProcessStartInfo(server,
            [$"--config.file={config}", $"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=100y", $"--web.listen-address=127.0.0.1:{port}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server = new Process { StartInfo = start, EnableRaisingEvents = true };
        _server.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
                _log.AppendLine(line.Data);
            if (line.Data?.Contains("Server is ready to receive web requests", StringComparison.Ordinal) == true)
                ready.TrySetResult();
        };
        _server.Exited += (_, _) => ready.TrySetException(new InvalidOperationException($"prometheus has ended:\n{Log()}"));
        _server.Start();
        _server.BeginErrorReadLine();
        _server.BeginOutputReadLine();
        await ready.Task.WaitAsync(Deadline, TestContext.Current.CancellationToken);
    }

    private string Log()
    {
        lock (_log)
            return _log.ToString();
    }

    // A family's samples follow one another.
    private static string OpenMetrics(IReadOnlyList<TelemetryRow> rows)
    {
        var text = new StringBuilder();
        foreach (var metric in rows.SelectMany(r => r.Metrics.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {metric} unknown\n");
            foreach (var series in rows.Where(r => r.Metrics.ContainsKey(metric)).GroupBy(r => r.Gpu))
            {
                var labels = string.Join(',', Labels(series.Key).Select(l => $"{l.Name}=\"{l.Value}\""));
                foreach (var row in series.OrderBy(r => r.Timestamp))
                    text.Append(CultureInfo.InvariantCulture, $"{metric}{{{labels}}} {row.Metrics[metric]:R} {row.Timestamp.ToUnixTimeMilliseconds() / 1000m}\n");
            }
        }
        return text.Append("# EOF\n").ToString();
    }

    private static IEnumerable<(string Name, string Value)> Labels(GpuLabels gpu) =>
        new[]
        {
            ("host_id", gpu.HostId), ("gpu_id", gpu.GpuId), ("uuid", gpu.Uuid), ("model", gpu.Model),
            ("device", gpu.Device), ("pod", gpu.Pod), ("namespace", gpu.Namespace), ("container", gpu.Container),
        }.Where(l => l.Item2.Length > 0);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_server is { HasExited: false })
        {
            _server.Kill(entireProcessTree: true);
            await _server.WaitForExitAsync(CancellationToken.None);
        }
        _server?.Dispose();
        _folder.Delete(recursive: true);
    }
}
