namespace Telemetry.Broker.Producers;

/// <summary>
/// Makes producer epochs. They begin at the seconds since 2025-01-01 at the broker's start and are never given twice, so
/// that an epoch from before a restart, or from a topic of the same name that was deleted, is not taken for a new one.
/// </summary>
internal sealed class ProducerEpochs(BrokerClock clock)
{
    private static readonly long BeginUnixMs = new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    private int _last = (int)Math.Clamp((clock.UnixMs - BeginUnixMs) / 1000, 0, int.MaxValue / 2);

    /// <summary>An epoch above that one and above all given before.</summary>
    public int Next(int known)
    {
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = checked(Math.Max(last, known) + 1);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
                return next;
        }
    }
}
