using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Messaging.Records;
using Telemetry.Streamer;
using Telemetry.Streamer.Shards;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Streamer;

/// <summary>CSV files in a temporary folder, and what the streamer makes of them.</summary>
internal sealed class TestInput : IDisposable
{
    public const string WideHeader = "timestamp,Hostname,gpu,UUID,gpu_utilization,temperature_c\n";
    public const string LongHeader = "timestamp,metric_name,gpu_id,device,uuid,modelName,Hostname,container,pod,namespace,value,labels_raw\n";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("streamer-");

    public string Folder => _folder.FullName;

    public string File => Path.Combine(Folder, "telemetry.csv");

    /// <summary>The settings for <see cref="File"/>, with the source's times.</summary>
    public StreamerOptions Options => new() { CsvFile = File, TimestampMode = TimestampMode.Source, LoopData = false, StreamInterval = TimeSpan.Zero, MetricsPort = 0 };

    public string Write(string text, string name = "telemetry.csv") => Write(Encoding.UTF8.GetBytes(text), name);

    public string Write(byte[] bytes, string name = "telemetry.csv")
    {
        var path = Path.Combine(Folder, name);
        System.IO.File.WriteAllBytes(path, bytes);
        return path;
    }

    public void Append(string text) => System.IO.File.AppendAllText(File, text);

    public static string LongRow(string time, string metric, string host, string gpu, string value) =>
        $"\"{time}\",\"{metric}\",\"{gpu}\",\"nvidia{gpu}\",\"GPU-{host}-{gpu}\",\"H100\",\"{host}\",\"\",\"\",\"\",\"{value}\",\"Hostname=\"\"{host}\"\",job=\"\"dcgm\"\"\"\n";

    /// <summary>Reads a whole file at once.</summary>
    public ReadResult ReadAll(string text, StreamerOptions? options = null)
    {
        Write(text);
        return ReadAll(options ?? Options);
    }

    public static ReadResult ReadAll(StreamerOptions options)
    {
        var input = Input.Open(options) ?? throw new InvalidOperationException("the input has no rows yet");
        using var metrics = new StreamerMetrics();
        var log = new TestLog();
        var badRows = new BadRows(log, metrics, TimeProvider.System);
        using var reader = new InputReader(input, ReadOptions.Of(options, 16), badRows, TimeProvider.System, log);
        reader.SetShards([.. Enumerable.Range(0, 16).Select(shard => reader.Resume(shard, default, 0))]);
        var samples = new List<GpuSample>();
        void Take(Shard shard) => samples.AddRange(RecordBatch.Decode(shard.TakeBatch(null).Bytes.Span).Samples());
        ReadStep step;
        while ((step = reader.Advance(1, CancellationToken.None)) is ReadStep.Enough or ReadStep.Full)
        {
            foreach (var shard in reader.Shards.Where(shard => shard.Count > 0))
                Take(shard);
        }
        Assert.Equal(ReadStep.EndOfPass, step);
        return new ReadResult(samples, badRows.Rows, badRows.Values, reader.Rows, log);
    }

    /// <summary>A record as a text that is the same for equal records.</summary>
    public static string Text(GpuSample sample)
    {
        var id = sample.Identity;
        var values = sample.Values.OrderBy(value => value.Name, StringComparer.Ordinal)
            .Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Name}={value.Value:R}"));
        return $"{sample.TimeUnixMs} {id.HostId}/{id.GpuId} {id.Uuid} {id.Model} {id.Device} {id.Pod} {id.Namespace} {id.Container}: {string.Join(' ', values)}";
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary>What a file came to.</summary>
internal sealed record ReadResult(IReadOnlyList<GpuSample> Samples, long BadRows, long BadValues, long Rows, TestLog Log)
{
    /// <summary>The values of the only record.</summary>
    public IReadOnlyDictionary<string, double> Values => Assert.Single(Samples).Values.ToDictionary(value => value.Name, value => value.Value);

    /// <summary>The reasons that were logged, with their lines.</summary>
    public IReadOnlyList<string> Complaints => [.. Log.Events.Where(e => e.Id.Id is 2020 or 2021).Select(e => e.Text)];
}

/// <summary>Remembers log events.</summary>
internal sealed class TestLog : ILogger
{
    private readonly Lock _lock = new();
    private readonly List<(EventId Id, string Text)> _events = [];
    private TaskCompletionSource _logged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<(EventId Id, string Text)> Events
    {
        get
        {
            lock (_lock)
                return [.. _events];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => NullLogger.Instance.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lock)
        {
            _events.Add((eventId, formatter(state, exception)));
            _logged.TrySetResult();
            _logged = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Waits for an event.</summary>
    public async Task<string> WaitForAsync(int id, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task logged;
            lock (_lock)
            {
                if (_events.FirstOrDefault(e => e.Id.Id == id) is { Text: not null } found)
                    return found.Text;
                logged = _logged.Task;
            }
            await logged.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
        }
    }
}

/// <summary>A clock that says when somebody begins to wait.</summary>
internal sealed class TimersTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _timers.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Ends when a wait of this length has begun, each of which counts once.</summary>
    public async Task IsAwaitedAsync(TimeSpan length, CancellationToken cancellationToken)
    {
        while (await _timers.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), cancellationToken) != length)
        {
            // Another timer.
        }
    }
}

internal static class TestTime
{
    /// <summary>Lets time pass in steps until something has happened.</summary>
    public static async Task PassAsync(this FakeTimeProvider time, TimeSpan step, Func<bool> hasHappened)
    {
        var begin = Stopwatch.GetTimestamp();
        while (!hasHappened())
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "it did not happen within a minute of real time");
            time.Advance(step);
            await Task.Yield();
        }
    }
}
