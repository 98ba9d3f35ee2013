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
    /// <summary>
    /// The hash of (<see cref="HostId"/>, <see cref="GpuId"/>) that picks partitions and shards of input: XxHash32 of the
    /// UTF-8 host, a zero byte, and the UTF-8 GPU index. It never changes, so that a GPU keeps its partition.
    /// </summary>
    public uint PlacementHash { get; } = Hash(Encoding.UTF8.GetBytes(HostId), Encoding.UTF8.GetBytes(GpuId));

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
}
