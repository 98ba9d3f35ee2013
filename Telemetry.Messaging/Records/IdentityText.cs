using System.Text;

namespace Telemetry.Messaging.Records;

/// <summary>Texts and identities as a batch has them (<see cref="RecordBatchLayout"/>).</summary>
internal static class IdentityText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes of a text with its length.</summary>
    /// <exception cref="RecordBatchException">It is too long.</exception>
    public static int Bytes(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        return length <= RecordBatchLimits.TextBytesMax
            ? length + (length < 0x80 ? 1 : 2)
            : throw new RecordBatchException($"a label or metric name has {length} bytes, at most {RecordBatchLimits.TextBytesMax} are accepted: '{text[..40]}…'");
    }

    /// <summary>Writes a text with its length; returns the bytes written.</summary>
    public static int Write(string text, Span<byte> destination)
    {
        // Not the strict encoding: half a surrogate pair in a source becomes U+FFFD instead of losing the record.
        var head = Encoding.UTF8.GetByteCount(text) < 0x80 ? 1 : 2;
        var length = Encoding.UTF8.GetBytes(text, destination[head..]);
        if (head == 1)
        {
            destination[0] = (byte)length;
        }
        else
        {
            destination[0] = (byte)(length | 0x80);
            destination[1] = (byte)(length >> 7);
        }
        return head + length;
    }

    /// <summary>Finds the text at the start of <paramref name="bytes"/>; false when there is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out int start, out int length)
    {
        start = 1;
        length = 0;
        if (bytes.IsEmpty)
            return false;
        length = bytes[0];
        if (length >= 0x80)
        {
            // The second byte of a shortest form is never 0.
            if (bytes.Length < 2 || bytes[1] is 0 or >= 0x80)
                return false;
            length = (length & 0x7F) | (bytes[1] << 7);
            start = 2;
        }
        return length <= RecordBatchLimits.TextBytesMax && length <= bytes.Length - start;
    }

    /// <summary>The text of UTF-8.</summary>
    /// <exception cref="RecordBatchException">It is not UTF-8.</exception>
    public static string Text(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            return "";
        try
        {
            return Strict.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw new RecordBatchException("a label or metric name is not UTF-8");
        }
    }

    /// <summary>The length of the identity at the start of <paramref name="bytes"/>; -1 when there is none.</summary>
    public static int Measure(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        for (var label = 0; label < RecordBatchLayout.IdentityLabels; label++)
        {
            if (!TryRead(bytes[at..], out var start, out var length))
                return -1;
            at += start + length;
        }
        return at;
    }

    /// <exception cref="RecordBatchException">A label is too long, or host or GPU is empty.</exception>
    public static byte[] Encode(GpuIdentity identity)
    {
        CheckPlace(identity);
        var size = Bytes(identity.HostId) + Bytes(identity.GpuId) + Bytes(identity.Uuid) + Bytes(identity.Model)
            + Bytes(identity.Device) + Bytes(identity.Pod) + Bytes(identity.Namespace) + Bytes(identity.Container);
        var encoded = new byte[size];
        var at = Write(identity.HostId, encoded);
        at += Write(identity.GpuId, encoded.AsSpan(at));
        at += Write(identity.Uuid, encoded.AsSpan(at));
        at += Write(identity.Model, encoded.AsSpan(at));
        at += Write(identity.Device, encoded.AsSpan(at));
        at += Write(identity.Pod, encoded.AsSpan(at));
        at += Write(identity.Namespace, encoded.AsSpan(at));
        Write(identity.Container, encoded.AsSpan(at));
        return encoded;
    }

    /// <exception cref="RecordBatchException">A label is not UTF-8, or host or GPU is empty.</exception>
    public static GpuIdentity Decode(ReadOnlySpan<byte> encoded)
    {
        // Evaluated in the order of the parameters, which is that of the bytes.
        var identity = new GpuIdentity(
            Next(ref encoded), Next(ref encoded), Next(ref encoded), Next(ref encoded),
            Next(ref encoded), Next(ref encoded), Next(ref encoded), Next(ref encoded));
        CheckPlace(identity);
        return identity;
    }

    private static string Next(ref ReadOnlySpan<byte> encoded)
    {
        if (!TryRead(encoded, out var start, out var length))
            throw new RecordBatchException("an identity ends early");
        var text = Text(encoded.Slice(start, length));
        encoded = encoded[(start + length)..];
        return text;
    }

    private static void CheckPlace(GpuIdentity identity)
    {
        if (identity.HostId.Length == 0 || identity.GpuId.Length == 0)
            throw new RecordBatchException("an identity has no host or no GPU");
    }
}
