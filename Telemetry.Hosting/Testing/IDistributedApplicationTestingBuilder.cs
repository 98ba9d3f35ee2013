namespace Aspire.Hosting.Testing;

/// <summary>The builder of an AppHost that was stopped before it builds its application.</summary>
public interface IDistributedApplicationTestingBuilder : IDistributedApplicationBuilder, IAsyncDisposable, IDisposable
{
    /// <summary>Lets the AppHost build its application, which the test then starts.</summary>
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}
