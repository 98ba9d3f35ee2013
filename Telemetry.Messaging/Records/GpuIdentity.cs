using System.IO.Hashing;
using System.Text;

namespace Telemetry.Messaging.Records;

/// <summary>
/// Who a record is about. <see cref="HostId"/> and <see cref="GpuId"/> are always set and decide the partition; the other
/// labels are empty where the source does not say. Two identities that differ in any label are two series of one GPU.
/// </summary>
/// <param name="HostId">The host's name.</param>
/// <param name="GpuId">The GPU's index on its host, as the source writes it.</param>
/// <param name="Uuid">The GPU's UUID, as <c>GPU-5fd4f087-…</c>.</param>
/// <param name="Model">The GPU's model name.</param>
/// <param name="Device">The device's name on the host, as <c>nvidia0</c>.</param>
/// <param name="Pod">The Kubernetes pod that holds the GPU.</param>
/// <param name="Namespace">That pod's namespace.</param>
/// <param name="Container">That pod's container.</param>
/// <remarks>Sources intern identities, so the hash and the encoded form are computed once, on first use.</remarks>
public sealed record GpuIdentity(
    string HostId,
    string GpuId,
    string Uuid = "",
    string Model = "",
    string Device = "",
    string Pod = "",
    string Namespace = "",
    string Container = "")
{
    // Caches: not part of equality, and not copied by `with`. A race computes the same value twice.
    private const ulong PlacementKnown = 1UL << 32;
    private ulong _placement;
    private byte[]? _encoded;
    private int _hashCode;

    private GpuIdentity(GpuIdentity other) =>
        (HostId, GpuId, Uuid, Model, Device, Pod, Namespace, Container) =
        (other.HostId, other.GpuId, other.Uuid, other.Model, other.Device, other.Pod, other.Namespace, other.Container);

    /// <summary>
    /// The hash of (<see cref="HostId"/>, <see cref="GpuId"/>) that picks partitions and shards of input: XxHash32 of the
    /// UTF-8 host, a zero byte, and the UTF-8 GPU index. It never changes, so that a GPU keeps its partition.
    /// </summary>
    public uint PlacementHash
    {
        get
        {
            if (_placement == 0)
                _placement = PlacementKnown | Hash(Encoding.UTF8.GetBytes(HostId), Encoding.UTF8.GetBytes(GpuId));
            return (uint)_placement;
        }
    }

    /// <summary>The same hash from the raw UTF-8 of a source.</summary>
    public static uint Hash(ReadOnlySpan<byte> hostId, ReadOnlySpan<byte> gpuId)
    {
        var length = hostId.Length + 1 + gpuId.Length;
        Span<byte> key = length <= 256 ? stackalloc byte[length] : new byte[length];
        hostId.CopyTo(key);
        key[hostId.Length] = 0;
        gpuId.CopyTo(key[(hostId.Length + 1)..]);
        return XxHash32.HashToUInt32(key);
    }

    /// <inheritdoc/>
    public bool Equals(GpuIdentity? other) =>
        ReferenceEquals(this, other)
        || (other is not null && GetHashCode() == other.GetHashCode()
            && GpuId == other.GpuId && HostId == other.HostId && Uuid == other.Uuid && Model == other.Model
            && Device == other.Device && Pod == other.Pod && Namespace == other.Namespace && Container == other.Container);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        if (_hashCode == 0)
        {
            var hash = HashCode.Combine(HostId, GpuId, Uuid, Model, Device, Pod, Namespace, Container);
            _hashCode = hash == 0 ? 1 : hash;
        }
        return _hashCode;
    }

    /// <summary>The identity as a batch's dictionary has it (<see cref="RecordBatchLayout"/>).</summary>
    /// <exception cref="RecordBatchException">A label is too long, or host or GPU is empty.</exception>
    internal ReadOnlySpan<byte> Encoded => _encoded ??= IdentityText.Encode(this);

    /// <summary>Makes an identity whose encoded form is known already.</summary>
    internal static GpuIdentity FromEncoded(ReadOnlySpan<byte> encoded)
    {
        var identity = IdentityText.Decode(encoded);
        identity._encoded = encoded.ToArray();
        return identity;
    }
}
