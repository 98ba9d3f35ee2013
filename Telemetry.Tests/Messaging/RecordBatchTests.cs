using System.Diagnostics;
using System.Text.Json;
using CsCheck;
using Telemetry.Messaging.Records;

namespace Telemetry.Tests.Messaging;

public sealed class RecordBatchTests
{
    private static readonly ActivityContext Trace = new(
        ActivityTraceId.CreateFromString("0af7651916cd43dd8448eb211c80319c"), ActivitySpanId.CreateFromString("b7ad6b7169203331"), ActivityTraceFlags.Recorded);

    /// <summary>A change of these bytes is a change of the format: make a new version and keep reading this one.</summary>
    private const string Golden =
        "R1RSQgEBAABU6Tz6BAAAAAIAAAAFAAAACvdlGRbNQ92ESOshHIAxnLeta3FpIDMxAQxncHUtbm9kZS0wMDEBMChHUFUtNWZkNGYwODctODZmMy03YTQzLWI3MTEtNDc3MTMxM2FmYzUw"
        + "FU5WSURJQSBIMTAwIDgwR0IgSEJNMwdudmlkaWEwAAAADGdwdS1ub2RlLTAwMQExBkdQVS3DvAAAB3RyYWluLTACbWwEbWFpbg9ncHVfdXRpbGl6YXRpb24HcG93ZXJfdw10ZW1wZXJh"
        + "dHVyZV9jBXJhdGlvA3hpZAoAWfsgmAEAAAEC1IIHAAAAAAAAAAAAB1eAFoID6BcAAAAAAAACDyViAACBBwAAAAAAAFBAgAdVVVVVVVXVP1VVVVVVVeU/kiRJkiRJwj+BBAAAAAAAwFNA";

    private static readonly Gen<string> Label = Gen.OneOf(Gen.Const(""), Gen.String[Gen.Char['a', 'z'], 1, 12], Gen.Const("gpu-ü-€-😀"), Gen.Const(new string('x', 200)));

    private static readonly Gen<GpuIdentity> Identity = Gen.Select(
        Gen.Int[0, 20], Gen.Int[0, 7], Label, Label, (host, gpu, label, other) => new GpuIdentity($"host-{host}", $"{gpu}", label, other, label, other, label, other));

    private static readonly Gen<double> Value = Gen.OneOf(
        Gen.Double.Where(double.IsFinite), Gen.Int[0, 100].Select(v => (double)v), Gen.Int[0, 70_000].Select(v => v / 100.0), Gen.Int.Select(v => v / 1_000_000.0),
        Gen.Long.Select(v => (double)v), Gen.OneOf<double>(0.0, -0.0, double.Epsilon, double.MaxValue, double.MinValue, 1L << 50, (1L << 53) + 2, 0.1 + 0.2));

    private static readonly Gen<long> Time = Gen.OneOf(
        Gen.Long[1_700_000_000_000, 1_700_000_060_000], Gen.Long[RecordBatchLimits.TimeUnixMsMin, RecordBatchLimits.TimeUnixMsMax],
        Gen.Long[1_700_000_000, 1_700_000_600].Select(s => s * 1_000));

    /// <summary>Columns are of one kind each, as in life, so that each form is met.</summary>
    private static readonly Gen<GpuSample[]> Samples =
        from metrics in Gen.Int[0, 6]
        from pools in Value.Array[1, 5].Array[metrics]
        from missing in Gen.Int[0, 2]
        from identities in Identity.Array[1, 10]
        from times in Time.Array[1, 5]
        from records in Gen.Select(Gen.Int[0, 1_000], Gen.Int[0, 1_000], Gen.Int[0, 1_000].Array[metrics]).Array[1, 300]
        select records.Select(record => new GpuSample(
            times[record.Item1 % times.Length],
            identities[record.Item2 % identities.Length],
            [.. record.Item3.Index().Where(value => missing == 0 || value.Item % 3 >= missing).Select(value => new MetricValue($"metric_{value.Index}", pools[value.Index][value.Item % pools[value.Index].Length]))])).ToArray();

    [Fact]
    public void Every_record_comes_back_as_it_was() => Samples.Sample(samples => AssertSame(samples, RecordBatch.Decode(Encode(samples).Span)));

    [Fact]
    public void A_builder_is_as_good_as_new_after_it_was_cleared()
    {
        var builder = new RecordBatchBuilder();
        Samples.Sample(
            samples =>
            {
                builder.Clear();
                Assert.True(Encode(samples).Span.SequenceEqual(Encode(samples, builder).Span));
            },
            threads: 1);
    }

    [Fact]
    public void The_bound_of_the_encoded_size_holds() =>
        Samples.Sample(samples =>
        {
            var builder = new RecordBatchBuilder();
            var encoded = Encode(samples, builder, Trace);
            Assert.InRange(encoded.Length, 1, builder.EncodedBytesMax);
        });

    [Fact]
    public void The_bytes_of_version_1_are_frozen()
    {
        var encoded = Encode(GoldenSamples(), trace: Trace);
        Assert.Equal(Golden, Convert.ToBase64String(encoded.Span));
        var decoded = RecordBatch.Decode(Convert.FromBase64String(Golden));
        AssertSame(GoldenSamples(), decoded);
        Assert.Equal(Trace.TraceId, decoded.Trace.TraceId);
        Assert.Equal(Trace.SpanId, decoded.Trace.SpanId);
        Assert.Equal(ActivityTraceFlags.Recorded, decoded.Trace.TraceFlags);
    }

    [Fact]
    public void A_batch_without_a_trace_has_none()
    {
        var samples = GoldenSamples();
        var without = Encode(samples);
        Assert.Equal(default, RecordBatch.Decode(without.Span).Trace);
        Assert.Equal(Encode(samples, trace: Trace).Length - RecordBatchLayout.TraceBytes, without.Length);
    }

    [Fact]
    public void A_fleet_takes_a_tenth_of_its_JSON()
    {
        var samples = Fleet(hosts: 32, seconds: 10);
        var json = JsonSerializer.SerializeToUtf8Bytes(samples.Select(sample =>
            sample.Values.ToDictionary(value => value.Name, value => (object)value.Value)
                .Append(new("timestamp", sample.TimeUnixMs)).Append(new("host_id", sample.Identity.HostId)).Append(new("gpu_id", sample.Identity.GpuId))
                .Append(new("uuid", sample.Identity.Uuid)).Append(new("model", sample.Identity.Model)).ToDictionary()));
        var encoded = Encode(samples);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{samples.Length} records: {encoded.Length / (double)samples.Length:0.0} B a record, JSON {json.Length / (double)samples.Length:0.0} B");
        Assert.InRange(encoded.Length, 1, json.Length / 10);
    }

    [Fact]
    public void Halves_have_the_records_in_order_and_the_trace() =>
        Samples.Where(samples => samples.Length > 1).Sample(samples =>
        {
            var (first, second) = RecordBatch.Split(Encode(samples, trace: Trace).Span);
            Assert.Equal(samples.Length / 2, first.Count);
            Assert.Equal(samples.Length - first.Count, second.Count);
            AssertSame(samples[..first.Count], RecordBatch.Decode(first.Encoded.Span));
            AssertSame(samples[first.Count..], RecordBatch.Decode(second.Encoded.Span));
            Assert.Equal(Trace.SpanId, RecordBatch.Decode(second.Encoded.Span).Trace.SpanId);
        });

    [Fact]
    public void One_record_cannot_be_split() =>
        Assert.Contains("one record", Assert.Throws<RecordBatchException>(() => RecordBatch.Split(Encode(GoldenSamples()[..1]).Span)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_cache_makes_a_GPU_one_object_over_all_batches()
    {
        var cache = new IdentityCache();
        var one = RecordBatch.Decode(Encode(GoldenSamples()).Span, cache);
        var two = RecordBatch.Decode(Encode([.. GoldenSamples().Reverse()]).Span, cache);
        Assert.Equal(one.Series.Count, two.Series.Count);
        Assert.All(one.Series, identity => Assert.Contains(two.Series, other => ReferenceEquals(identity, other)));
        AssertSame(GoldenSamples(), one);
    }

    [Fact]
    public void A_full_cache_begins_anew_and_stays_right()
    {
        var cache = new IdentityCache(identitiesMax: 3);
        var samples = Fleet(hosts: 2, seconds: 3);
        for (var round = 0; round < 3; round++)
            AssertSame(samples, RecordBatch.Decode(Encode(samples).Span, cache));
    }

    [Fact]
    public void A_GPU_never_changes_its_place()
    {
        Assert.Equal(3_792_045_198u, new GpuIdentity("gpu-node-001", "0").PlacementHash);
        Assert.Equal(2_354_723_591u, new GpuIdentity("gpu-node-001", "7").PlacementHash);
        Assert.Equal(1_549_684_412u, new GpuIdentity("ü", "0", Uuid: "GPU-1").PlacementHash);
    }

    [Fact]
    public void An_identity_is_equal_by_its_labels_and_a_changed_copy_is_another()
    {
        var identity = new GpuIdentity("host", "0", Pod: "a");
        var (hash, encoded) = (identity.PlacementHash, identity.Encoded.ToArray());
        var copy = identity with { HostId = "other" };
        Assert.NotEqual(identity, copy);
        Assert.NotEqual(hash, copy.PlacementHash);
        Assert.False(copy.Encoded.SequenceEqual(encoded));
        Assert.Equal(identity, copy with { HostId = "host" });
        Assert.Equal(identity.GetHashCode(), (copy with { HostId = "host" }).GetHashCode());
    }

    [Fact]
    public void CRC32C_is_the_standards() // RFC 3720, B.4
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0xE3069283u, Crc32C.Append(Crc32C.Compute("1234"u8), "56789"u8));
    }

    internal static ReadOnlyMemory<byte> Encode(IEnumerable<GpuSample> samples, RecordBatchBuilder? builder = null, ActivityContext trace = default)
    {
        builder ??= new RecordBatchBuilder();
        foreach (var sample in samples)
            builder.Add(sample);
        return builder.Build(trace);
    }

    internal static GpuSample[] GoldenSamples()
    {
        var first = new GpuIdentity("gpu-node-001", "0", "GPU-5fd4f087-86f3-7a43-b711-4771313afc50", "NVIDIA H100 80GB HBM3", "nvidia0");
        var second = new GpuIdentity("gpu-node-001", "1", "GPU-ü", Pod: "train-0", Namespace: "ml", Container: "main");
        return
        [
            new(1_752_900_000_000, first, [new("gpu_utilization", 87), new("power_w", 312.45), new("temperature_c", 64), new("ratio", 1.0 / 3)]),
            new(1_752_900_001_000, second, [new("gpu_utilization", 0), new("power_w", 61.2), new("temperature_c", 64), new("ratio", 2.0 / 3)]),
            new(1_752_900_001_000, first, [new("gpu_utilization", 90), new("temperature_c", 64), new("ratio", 1.0 / 7), new("xid", 79)]),
            new(1_752_900_003_000, second, []),
        ];
    }

    /// <summary>A fleet as operators have it: whole percents and degrees, watts with two decimals.</summary>
    internal static GpuSample[] Fleet(int hosts, int seconds)
    {
        var random = new Random(1);
        var identities = Enumerable.Range(0, hosts * 8).Select(i => new GpuIdentity(
            $"gpu-node-{i / 8:000}", $"{i % 8}", $"GPU-{new Guid(i, 0, 0, new byte[8])}", "NVIDIA H100 80GB HBM3", $"nvidia{i % 8}")).ToArray();
        string[] names = ["gpu_utilization", "memory_utilization", "memory_used_mb", "temperature_c", "power_w", "sm_clock_mhz"];
        return [.. Enumerable.Range(0, seconds * identities.Length).Select(i => new GpuSample(
            1_752_900_000_000 + (i / identities.Length * 1_000L), identities[i % identities.Length],
            [
                new(names[0], random.Next(101)), new(names[1], random.Next(101)), new(names[2], random.Next(81_920)),
                new(names[3], random.Next(30, 90)), new(names[4], random.Next(6_000, 70_000) / 100.0), new(names[5], random.Next(345, 1_981)),
            ]))];
    }

    internal static void AssertSame(IReadOnlyList<GpuSample> expected, RecordBatch batch)
    {
        var actual = batch.Samples().ToList();
        Assert.Equal(expected.Count, actual.Count);
        Assert.Empty(batch.Poisoned);
        for (var i = 0; i < actual.Count; i++)
        {
            Assert.Equal(expected[i].TimeUnixMs, actual[i].TimeUnixMs);
            Assert.Equal(expected[i].Identity, actual[i].Identity);
            // By bits: −0 is not 0.
            Assert.Equal(
                expected[i].Values.OrderBy(value => value.Name, StringComparer.Ordinal).Select(value => (value.Name, BitConverter.DoubleToInt64Bits(value.Value))),
                actual[i].Values.OrderBy(value => value.Name, StringComparer.Ordinal).Select(value => (value.Name, BitConverter.DoubleToInt64Bits(value.Value))));
        }
    }
}
