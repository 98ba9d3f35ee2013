using Telemetry.Hosting.Testing;

namespace Aspire.Hosting.Testing;

/// <summary>Makes applications for tests: an AppHost's own, on random ports and without a dashboard.</summary>
public static class DistributedApplicationTestingBuilder
{
    /// <summary>Runs an AppHost's program, without a command line, up to the point where it builds its application.</summary>
    /// <typeparam name="TEntryPoint">A class of the AppHost, as <c>Projects.Telemetry_AppHost</c>.</typeparam>
    /// <exception cref="DistributedApplicationException">The program failed, or ended without building an application.</exception>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync<TEntryPoint>([], cancellationToken);

    /// <summary>Runs an AppHost's program up to the point where it builds its application.</summary>
    /// <typeparam name="TEntryPoint">A class of the AppHost, as <c>Projects.Telemetry_AppHost</c>.</typeparam>
    /// <param name="args">
    /// The command line. <c>--Key:Sub=value</c> is configuration: the AppHost's settings, <c>--Parameters:name=…</c>, and
    /// <c>--DcpPublisher:RandomizePorts=false</c> for the ports that the AppHost names.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The AppHost's builder with all of its resources, to be changed and then built.</returns>
    /// <exception cref="DistributedApplicationException">The program failed, or ended without building an application.</exception>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default)
        where TEntryPoint : class
    {
        ArgumentNullException.ThrowIfNull(args);
        if (args.Any(string.IsNullOrEmpty))
            throw new ArgumentException("an argument is empty", nameof(args));
        var program = new EntryPoint(typeof(TEntryPoint).Assembly, args);
        try
        {
            return await program.BuilderAsync(cancellationToken);
        }
        catch
        {
            program.Abandon();
            throw;
        }
    }
}
