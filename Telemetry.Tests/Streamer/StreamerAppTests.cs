using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults;
using Telemetry.Streamer;

namespace Telemetry.Tests.Streamer;

/// <summary>The whole program but for its queue. One collection with everything that sets the process's exit code.</summary>
[Collection(nameof(Environment.ExitCode))]
public sealed class StreamerAppTests : IDisposable
{
    private readonly TestInput _files = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    private static string Rows(int count) => TestInput.WideHeader + string.Concat(Enumerable.Range(0, count).Select(
        i => $"2025-07-18T20:42:{i % 60:00}Z,host{i},0,u,{i % 100},20\n"));

    private static WebApplication Build(StreamerOptions options, FakeQueue queue) =>
        StreamerApp.Build(options, _ => queue, TimeProvider.System, new StreamerProgress(null));

    private static Task EndOf(WebApplication app)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Lifetime.ApplicationStopping.Register(ended.SetResult);
        return ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancelled);
    }

    [Fact]
    public async Task A_finite_input_ends_the_program_with_0_and_the_queue_is_closed()
    {
        _files.Write(Rows(100));
        var queue = new FakeQueue();
        await using (var app = Build(_files.Options, queue))
        {
            var end = EndOf(app);
            await app.StartAsync(Cancelled);
            await end;
            await app.StopAsync(Cancelled);
            Assert.Equal(0, app.Services.GetRequiredService<StreamerWorker>().ExitCode);
        }
        Assert.Equal(100, queue.Samples.Count);
        Assert.True(queue.IsDisposed);
    }

    [Fact]
    public async Task Health_and_metrics_are_there_under_their_exact_names()
    {
        _files.Write(Rows(30) + "bad\n");
        var queue = new FakeQueue();
        await using var app = Build(_files.Options with { LoopData = true, StreamInterval = TimeSpan.FromHours(1), BatchSize = 31 }, queue);
        await app.StartAsync(Cancelled);
        await queue.WaitAsync(q => q.Samples.Count == 30, Cancelled);
        using var http = new HttpClient { BaseAddress = app.BoundAddresses()[0] };
        Assert.Equal("Healthy", await http.GetStringAsync("/health", Cancelled));
        Assert.Equal("Healthy", await http.GetStringAsync("/alive", Cancelled));
        var metrics = await http.GetStringAsync("/metrics", Cancelled);
        var names = metrics.Split('\n').Where(line => line.StartsWith("telemetry_pipeline_streamer", StringComparison.Ordinal))
            .Select(line => line.Split('{', ' ')[0]).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "telemetry_pipeline_streamer_batch_size",
                "telemetry_pipeline_streamer_errors_total",
                "telemetry_pipeline_streamer_last_processed_timestamp",
                "telemetry_pipeline_streamer_messages_sent_total",
            ],
            names);
        Assert.Contains("reason=\"missing_columns\"", metrics, StringComparison.Ordinal);
        await app.StopAsync(Cancelled);
    }

    [Fact]
    public async Task While_the_queue_cannot_be_reached_the_program_stays_up()
    {
        _files.Write(Rows(5));
        var queue = new FakeQueue { Unreachable = 100, OnJoin = _ => { } };
        await using var app = Build(_files.Options, queue);
        await app.StartAsync(Cancelled);
        await queue.WaitAsync(q => q.Memberships.Count == 1, Cancelled);
        using var http = new HttpClient { BaseAddress = app.BoundAddresses()[0] };
        Assert.Equal("Healthy", await http.GetStringAsync("/health", Cancelled));
        await app.StopAsync(Cancelled);
    }

    [Fact]
    public async Task A_refusal_by_the_queue_ends_the_program_with_1()
    {
        _files.Write(Rows(5));
        var queue = new FakeQueue { NextFailure = new QueueException(ErrorCode.InvalidRequest, "no") };
        await using var app = Build(_files.Options, queue);
        var end = EndOf(app);
        await app.StartAsync(Cancelled);
        await end;
        await app.StopAsync(Cancelled);
        Assert.Equal(1, app.Services.GetRequiredService<StreamerWorker>().ExitCode);
        Environment.ExitCode = 0; // the test process's own
    }

    [Fact]
    public async Task F27_A_stop_of_the_program_waits_for_acknowledgements()
    {
        _files.Write(Rows(50));
        var queue = new FakeQueue();
        await using var app = Build(_files.Options with { LoopData = true, StreamInterval = TimeSpan.FromHours(1), BatchSize = 50 }, queue);
        await app.StartAsync(Cancelled);
        await queue.WaitAsync(q => q.Samples.Count == 50, Cancelled);
        await app.StopAsync(Cancelled);
        Assert.True(queue.Memberships[0].Left.IsCompleted);
        Assert.Equal(0, app.Services.GetRequiredService<StreamerWorker>().ExitCode);
    }

    [Fact]
    public async Task In_a_terminal_a_finite_run_ends_with_one_line_of_what_was_done()
    {
        _files.Write(Rows(100) + "bad\n");
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes });
        await using var app = StreamerApp.Build(_files.Options, _ => new FakeQueue(), TimeProvider.System, new StreamerProgress(console));
        var end = EndOf(app);
        await app.StartAsync(Cancelled);
        await end;
        await app.StopAsync(Cancelled);
        var line = text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Matches(@"done: 101 rows read, 100 records sent, 1 bad rows, 0 bad values in \d+\.\d s, \d+ rows/s$", line.TrimEnd());
    }

    [Fact]
    public void A_run_without_an_end_shows_no_progress_bar()
    {
        var progress = new StreamerProgress(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }));
        Assert.True(progress.Shows(_files.Options));
        Assert.False(progress.Shows(_files.Options with { LoopData = true }));
        Assert.False(progress.Shows(_files.Options with { Follow = true }));
        Assert.False(new StreamerProgress(null).Shows(_files.Options));
    }

    [Fact]
    public void An_input_that_is_not_there_is_said_before_anything_is_started()
    {
        var error = Assert.Throws<StartupException>(() => Build(_files.Options, new FakeQueue()));
        Assert.StartsWith("CSV_FILE: there is no file", error.Message, StringComparison.Ordinal);
    }
}
