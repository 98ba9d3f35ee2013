using System.IO.Hashing;

namespace Telemetry.Messaging.Records;

/// <summary>
/// Identities that a decoder has seen, so that a GPU is one object over all batches: decoding makes no new texts, and its
/// reader can find a series by reference. One per worker: not thread-safe.
/// </summary>
/// <param name="identitiesMax">Beyond this many the cache begins anew.</param>
public sealed class IdentityCache(int identitiesMax = 200_000)
{
    private readonly Dictionary<ulong, GpuIdentity> _identities = [];

    /// <summary>The identity with this encoded form, which has been measured.</summary>
    internal GpuIdentity Get(ReadOnlySpan<byte> encoded)
    {
        var hash = XxHash3.HashToUInt64(encoded);
        if (_identities.TryGetValue(hash, out var known))
            return known.Encoded.SequenceEqual(encoded) ? known : GpuIdentity.FromEncoded(encoded);
        var identity = GpuIdentity.FromEncoded(encoded);
        if (_identities.Count >= identitiesMax)
            _identities.Clear();
        _identities.Add(hash, identity);
        return identity;
    }
}
