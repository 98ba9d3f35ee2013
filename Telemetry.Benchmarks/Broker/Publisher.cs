using System.Diagnostics;

namespace Telemetry.Benchmarks.Broker;

/// <summary>
/// Publishes the same batch again and again over a connection of its own, to the partitions in turn: as fast as it is taken,
/// or open-loop, when each publish has a time at which it is due, whatever became of those before it.
/// </summary>
internal abstract class Publisher(int records, int recordBytes) : IAsyncDisposable
{
    private long _acknowledged;
    private long _began;
    private double? _perSecond;

    /// <summary>Records of a batch.</summary>
    public int Records { get; } = records;

    /// <summary>Records that were acknowledged.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>How long each publish took from when it was due to its acknowledgement, in milliseconds; in the order of the publishes.</summary>
    public List<double> Latencies { get; } = [];

    /// <summary>The batch. Its bytes are of no concern to the broker.</summary>
    protected ReadOnlyMemory<byte> Batch { get; } = Bytes(records * recordBytes);

    /// <summary>Publishes until it is told to stop, and ends when all is acknowledged.</summary>
    /// <param name="perSecond">Publishes a second; null: as fast as they are taken.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(double? perSecond, CancellationToken stop)
    {
        _perSecond = perSecond;
        _began = Stopwatch.GetTimestamp();
        var answers = ReadAnswersAsync();
        try
        {
            for (long i = 0; !stop.IsCancellationRequested; i++)
            {
                // What is due before the next tick of the timer leaves up to a millisecond late, and that is counted too.
                while (perSecond is not null && Due(i) > Stopwatch.GetTimestamp() && !stop.IsCancellationRequested)
                    await Task.Delay(1, CancellationToken.None);
                await SendAsync((int)(i % MeasuredBroker.Partitions), i / MeasuredBroker.Partitions * Records, perSecond is null || Due(i + 1) <= Stopwatch.GetTimestamp());
            }
            await EndAsync();
        }
        catch
        {
            // The answers say why.
            await answers;
            throw;
        }
        await answers;
    }

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Sends the batch.</summary>
    /// <param name="partition">To this partition.</param>
    /// <param name="sequence">Records sent to it before.</param>
    /// <param name="more">Whether another follows at once.</param>
    protected abstract ValueTask SendAsync(int partition, long sequence, bool more);

    /// <summary>Says that nothing follows.</summary>
    protected abstract ValueTask EndAsync();

    /// <summary>Calls <see cref="NoteAnswer"/> for each answer, until the last.</summary>
    protected abstract Task ReadAnswersAsync();

    /// <summary>Counts the answer to the publish of this number.</summary>
    protected void NoteAnswer(long number)
    {
        if (_perSecond is not null)
            Latencies.Add(Stopwatch.GetElapsedTime(Due(number)).TotalMilliseconds);
        Volatile.Write(ref _acknowledged, _acknowledged + Records);
    }

    private long Due(long number) => _perSecond is { } rate ? _began + (long)(number / rate * Stopwatch.Frequency) : _began;

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
