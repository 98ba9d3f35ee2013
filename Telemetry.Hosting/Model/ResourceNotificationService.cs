using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Tells what becomes of the replicas. Names of resources do not differ by case only.</summary>
public class ResourceNotificationService
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ResourceEvent> _latest = [];
    private readonly List<Channel<ResourceEvent>> _watchers = [];

    internal ResourceNotificationService()
    {
    }

    /// <summary>The latest event of every replica, then every event as it happens.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // Unbounded, but states change only as often as processes start and end.
        var watcher = Channel.CreateUnbounded<ResourceEvent>(new UnboundedChannelOptions { SingleReader = true });
        lock (_lock)
        {
            foreach (var latest in _latest.Values)
                watcher.Writer.TryWrite(latest);
            _watchers.Add(watcher);
        }
        try
        {
            await foreach (var change in watcher.Reader.ReadAllAsync(cancellationToken))
                yield return change;
        }
        finally
        {
            lock (_lock)
                _watchers.Remove(watcher);
        }
    }

    /// <summary>Waits until a replica of a resource is in a state.</summary>
    /// <param name="resourceName">The resource.</param>
    /// <param name="targetState">One of <see cref="KnownResourceStates"/>; <see cref="KnownResourceStates.Running"/> unless given.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default)
    {
        var state = targetState ?? KnownResourceStates.Running;
        return WaitForResourceAsync(resourceName, change => change.State == state, cancellationToken);
    }

    /// <summary>Waits for an event of a resource.</summary>
    public async Task<ResourceEvent> WaitForResourceAsync(string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        await foreach (var change in WatchAsync(cancellationToken))
        {
            if (Same(change.Resource.Name, resourceName) && predicate(change))
                return change;
        }
        throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>Waits until every replica of a resource runs and is healthy.</summary>
    /// <exception cref="DistributedApplicationException">The resource has finished or has failed to start.</exception>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default)
    {
        await foreach (var change in WatchAsync(cancellationToken))
        {
            if (!Same(change.Resource.Name, resourceName))
                continue;
            if (KnownResourceStates.IsFinal(change.State))
                throw new DistributedApplicationException($"{change.ResourceId} {(change.State == KnownResourceStates.Finished ? "has finished" : "failed to start")}");
            if (AllHealthy(resourceName))
                return change;
        }
        throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>Publishes what is known now about a replica.</summary>
    internal void Publish(ResourceEvent change)
    {
        lock (_lock)
        {
            _latest[change.ResourceId] = change;
            foreach (var watcher in _watchers)
                watcher.Writer.TryWrite(change);
        }
    }

    // Every replica is published as NotStarted before the first one starts, so none is overlooked.
    private bool AllHealthy(string resourceName)
    {
        lock (_lock)
            return _latest.Values.Where(latest => Same(latest.Resource.Name, resourceName)).All(latest => latest.IsHealthy);
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
