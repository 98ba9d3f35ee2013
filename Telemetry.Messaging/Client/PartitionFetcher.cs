using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>Reads one partition. Credit bounds what is under way; it is given back as the caller takes batches. Reconnects and goes on after the last batch.</summary>
public static class PartitionFetcher
{
    /// <summary>Reads until cancelled.</summary>
    /// <param name="connection">The queue.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="from">Where to begin.</param>
    /// <param name="group">For the broker's metrics; empty outside groups.</param>
    /// <param name="creditBytes">Bytes of batches that may be under way.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="QueueException">The queue refuses for good: no such partition, or an offset that the log never had.</exception>
    public static IAsyncEnumerable<Fetched> FetchAsync(
        QueueConnection connection, string topic, int partition, FetchFrom from, string group, int creditBytes, CancellationToken cancellationToken) =>
        FetchAsync(connection, topic, partition, from, new FetchOptions { Group = group, CreditBytes = creditBytes }, cancellationToken);

    /// <inheritdoc cref="FetchAsync(QueueConnection, string, int, FetchFrom, string, int, CancellationToken)"/>
    /// <param name="options">Credit, group, log and clock.</param>
#pragma warning disable CS1573 // the other parameters are inherited
    public static IAsyncEnumerable<Fetched> FetchAsync(
        QueueConnection connection, string topic, int partition, FetchFrom from, FetchOptions options, CancellationToken cancellationToken)
#pragma warning restore CS1573
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CreditBytes, 1);
        return Read(connection, new FetchPosition(topic, partition, from, options), options, cancellationToken);
    }

    private static async IAsyncEnumerable<Fetched> Read(
        QueueConnection connection, FetchPosition position, FetchOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var link = new LinkLog(options.Logger ?? NullLogger.Instance, $"fetch of {position.Name}", options.Time);
        var backoff = new Backoff();
        while (true)
        {
            await using (var stream = new FetchStream(connection, position.Start(), cancellationToken))
            {
                while (await ReadAsync(stream, position, link, cancellationToken) is { } response)
                {
                    link.Back();
                    backoff.Reset();
                    foreach (var fetched in position.Apply(response))
                        yield return fetched; // the caller comes back when it has taken it
                    if (response.Batch is { } batch)
                        await stream.GiveBackAsync(batch.Batch.Length);
                }
            }
            await Task.Delay(backoff.Next(), options.Time, cancellationToken);
        }
    }

    /// <summary>The next response; null when the stream is lost and worth another.</summary>
    private static async Task<FetchResponse?> ReadAsync(FetchStream stream, FetchPosition position, LinkLog link, CancellationToken cancellationToken)
    {
        try
        {
            var response = await stream.ReadAsync();
            if (response is null)
                link.Lost("the queue ended the stream");
            return response;
        }
        catch (RpcException error)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // A broker without a disk has no topics after a restart, until a producer or a group makes them again.
            if (!QueueErrors.IsRetriable(error) && QueueErrors.Code(error) != ErrorCode.UnknownTopic)
                throw QueueErrors.Refusal(error);
            link.Lost($"{position.Name}: {QueueErrors.Reason(error)}");
            return null;
        }
    }
}
