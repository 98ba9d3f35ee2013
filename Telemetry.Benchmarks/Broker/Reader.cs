using Grpc.Core;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Benchmarks.Broker;

/// <summary>Fetches every partition of a topic from its beginning over one connection, by the generated client.</summary>
internal sealed class Reader(QueueConnection connection, string topic) : IAsyncDisposable
{
    private const long CreditBytes = 16 << 20;

    private long _records;

    /// <summary>Records that came.</summary>
    public long Records => Volatile.Read(ref _records);

    /// <summary>Reads until it is told to stop, or so many records came.</summary>
    public async Task RunAsync(long recordsMax, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAll(Enumerable.Range(0, MeasuredBroker.Partitions).Select(partition => ReadAsync(partition, recordsMax, enough)));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private async Task ReadAsync(int partition, long recordsMax, CancellationTokenSource enough)
    {
        try
        {
            using var call = connection.Queue.Fetch(cancellationToken: enough.Token);
            await call.RequestStream.WriteAsync(new FetchRequest { Start = new FetchStart { Topic = topic, Partition = partition, Earliest = true, CreditBytes = CreditBytes } });
            long owed = 0;
            while (await call.ResponseStream.MoveNext(enough.Token))
            {
                if (call.ResponseStream.Current.Batch is not { } batch)
                    continue;
                if (Interlocked.Add(ref _records, batch.RecordCount) >= recordsMax)
                    await enough.CancelAsync();
                owed += batch.Batch.Length;
                if (owed < CreditBytes / 4)
                    continue;
                await call.RequestStream.WriteAsync(new FetchRequest { CreditBytes = owed });
                owed = 0;
            }
        }
        catch (Exception error) when (enough.IsCancellationRequested && error is OperationCanceledException or RpcException)
        {
            // Enough was read.
        }
    }
}
