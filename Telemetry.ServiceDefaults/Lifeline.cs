using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace Telemetry.ServiceDefaults;

/// <summary>
/// Ties a service to the host that has started it: with <c>LIFELINE=stdin</c> in the environment, the host holds the other
/// end of standard input, and when that ends, the host has ended, be it by kill -9, and the service stops. Such a service
/// leaves Ctrl+C to the host, which stops its services in order; the terminal sends it to all of them at once.
/// </summary>
internal sealed class Lifeline
{
    /// <summary>The environment variable that a host sets.</summary>
    public const string Variable = "LIFELINE";

    /// <summary>The value of <see cref="Variable"/> for a lifeline on standard input.</summary>
    public const string Stdin = "stdin";

    // Longer than the grace period of a stop: a service that hangs in it must not outlive its host either.
    private static readonly TimeSpan KillAfter = ServiceHost.StopTimeout + TimeSpan.FromSeconds(5);

    private static readonly Lazy<Lifeline?> Lazy = new(() => Environment.GetEnvironmentVariable(Variable) == Stdin ? new Lifeline() : null);

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _ignored =
    [
        .. new[] { PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP }
            .Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = true)),
    ];

    private Lifeline() => new Thread(Watch) { IsBackground = true, Name = "lifeline" }.Start();

    /// <summary>The lifeline of this process; null where it was not started by a host.</summary>
    public static Lifeline? OfThisProcess => Lazy.Value;

    /// <summary>Ends with the host.</summary>
    public Task HostEnded => _ended.Task;

    private void Watch()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[64];
        while (input.Read(buffer) > 0)
        {
            // A host says nothing; that the pipe is open is all that matters.
        }
        _ended.SetResult();
        Thread.Sleep(KillAfter);
        GC.KeepAlive(_ignored);
        Process.GetCurrentProcess().Kill();
    }
}

/// <summary>Stops a service with SIGTERM or the end of its host.</summary>
internal sealed class LifelineLifetime(Lifeline lifeline, IHostApplicationLifetime application) : IHostLifetime, IDisposable
{
    private PosixSignalRegistration? _terminate;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            application.StopApplication();
        });
        _ = lifeline.HostEnded.ContinueWith(_ => application.StopApplication(), TaskScheduler.Default);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _terminate?.Dispose();
}
