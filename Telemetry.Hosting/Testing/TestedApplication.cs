using Aspire.Hosting;
using Microsoft.Extensions.Hosting;

namespace Telemetry.Hosting.Testing;

/// <summary>An application of which the test decides when it runs, and not the AppHost's program.</summary>
internal sealed class TestedApplication(EntryPoint program, IHost host) : DistributedApplication(host)
{
    public override Task RunAsync(CancellationToken cancellationToken = default) =>
        EntryPoint.Current == program ? program.AwaitEndAsync() : base.RunAsync(cancellationToken);

    public override async Task StartAsync(CancellationToken cancellationToken = default)
    {
        // A program that fails between building and running has not finished its application.
        await program.RunsAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        program.End();
    }
}
