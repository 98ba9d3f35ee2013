using System.Runtime.InteropServices;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Telemetry.Hosting.Dashboard;
using Telemetry.Hosting.Publish;
using Telemetry.Hosting.Run;
using Telemetry.Hosting.Testing;

namespace Aspire.Hosting;

/// <summary>An application of several resources that is started and stopped as one.</summary>
public class DistributedApplication : IHost, IAsyncDisposable
{
    /// <summary>The exit code for an application that cannot be started, or of which nothing runs any more.</summary>
    private const int ExitFailure = 1;

    /// <summary>The exit code for a setting that cannot be used.</summary>
    private const int ExitBadSettings = 2;

    private readonly IHost _host;
    private readonly Supervisor _supervisor;
    private bool _isPublished;

    internal DistributedApplication(IHost host)
    {
        _host = host;
        _supervisor = host.Services.GetRequiredService<Supervisor>();
        ResourceNotifications = host.Services.GetRequiredService<ResourceNotificationService>();
    }

    /// <summary>The AppHost's own services.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>Tells what becomes of the resources.</summary>
    public ResourceNotificationService ResourceNotifications { get; }

    /// <summary>A builder with the AppHost's command line.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => CreateBuilder(new DistributedApplicationOptions { Args = args });

    /// <summary>A builder without a command line.</summary>
    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder(new DistributedApplicationOptions());

    /// <summary>A builder with options.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options) =>
        EntryPoint.Current is { } program ? new TestingBuilder(program, options) : new DistributedApplicationBuilder(options);

    /// <summary>Starts the application and waits until it is told to stop.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>
    /// Starts the application and waits until it is told to stop (Ctrl+C, SIGTERM) or nothing of it runs any more. What
    /// keeps it from starting is one line on standard error; <see cref="Environment.ExitCode"/> is 1 for that (2 for
    /// a setting that cannot be used), and where everything has ended with a failure.
    /// </summary>
    public virtual async Task RunAsync(CancellationToken cancellationToken = default)
    {
        var lifetime = Services.GetRequiredService<IHostApplicationLifetime>();
        // The terminal has been closed: that is a stop like any other, though nobody sees its log lines.
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            lifetime.StopApplication();
        });
        var interrupts = 0;
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
        {
            signal.Cancel = true;
            if (Interlocked.Increment(ref interrupts) > 1)
                _supervisor.KillAll();
        });
        try
        {
            await StartAsync(cancellationToken);
        }
        catch (DistributedApplicationException error)
        {
            await Console.Error.WriteLineAsync($"apphost: {error.Message}");
            Environment.ExitCode = error is BadSettingException ? ExitBadSettings : ExitFailure;
            return;
        }
        if (_isPublished)
            return;
        await this.WaitForShutdownAsync(cancellationToken);
        if (_supervisor.HasFailed)
            Environment.ExitCode = ExitFailure;
    }

    /// <summary>
    /// Starts the application; returns when it is being started, not when its resources are healthy. In publish mode it
    /// publishes the application instead, and returns when that is done.
    /// </summary>
    /// <exception cref="DistributedApplicationException">It cannot be started; no process was.</exception>
    public virtual async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (Services.GetRequiredService<IConfiguration>()["operation"] is { Length: > 0 } operation && !Enum.TryParse<DistributedApplicationOperation>(operation, ignoreCase: true, out _))
            throw new BadSettingException($"--operation: '{operation}' is not accepted: expected run or publish");
        if (Services.GetRequiredService<DistributedApplicationExecutionContext>().IsPublishMode)
        {
            await Services.GetRequiredService<Publisher>().RunAsync(cancellationToken);
            _isPublished = true;
            return;
        }
        await _supervisor.PrepareAsync(cancellationToken);
        Services.GetRequiredService<DashboardAccess>().Prepare();
        await _host.StartAsync(cancellationToken);
    }

    /// <summary>Stops the resources, each after those that wait for it, then the application.</summary>
    public virtual Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Ends what still runs, and frees the ports.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            _host.Dispose();
    }
}
