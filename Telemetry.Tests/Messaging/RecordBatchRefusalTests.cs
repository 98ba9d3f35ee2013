using System.Buffers.Binary;
using CsCheck;
using Telemetry.Messaging.Records;

namespace Telemetry.Tests.Messaging;

public sealed class RecordBatchRefusalTests
{
    // Three series take two bits, so the bytes can name a fourth that is not there.
    private static readonly byte[] Valid = RecordBatchTests.Encode(
        RecordBatchTests.GoldenSamples().Append(new GpuSample(1_752_900_004_000, new GpuIdentity("gpu-node-002", "0"), [new("power_w", 70.25)]))).ToArray();

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_value_that_is_not_finite_is_refused_and_leaves_no_record(double value)
    {
        var builder = new RecordBatchBuilder();
        var sample = new GpuSample(0, new GpuIdentity("h", "0"), [new("ok", 1), new("power_w", value)]);
        Assert.Contains("power_w", Assert.Throws<RecordBatchException>(() => builder.Add(sample)).Message, StringComparison.Ordinal);
        Assert.Equal(0, builder.Count);
        builder.BeginRecord(0, builder.Series(sample.Identity));
        Assert.Throws<RecordBatchException>(() => builder.Set(builder.Metric("power_w"), value));
    }

    [Fact]
    public void A_batch_has_no_more_than_its_limits()
    {
        var builder = new RecordBatchBuilder();
        var series = builder.Series(new GpuIdentity("h", "0"));
        for (var i = 0; i < RecordBatchLimits.RecordsMax; i++)
            builder.BeginRecord(i, series);
        Assert.Contains("65536 records", Assert.Throws<RecordBatchException>(() => builder.BeginRecord(0, series)).Message, StringComparison.Ordinal);
        for (var i = 0; i < RecordBatchLimits.CellsMax / RecordBatchLimits.RecordsMax; i++)
            builder.Set(builder.Metric($"metric_{i}"), i);
        Assert.Contains("2097152 values", Assert.Throws<RecordBatchException>(() => builder.Metric("one_more")).Message, StringComparison.Ordinal);
        Assert.Equal(RecordBatchLimits.RecordsMax, RecordBatch.Decode(builder.Build().Span).Count);

        builder.Clear();
        for (var i = 0; i < RecordBatchLimits.MetricsMax; i++)
            builder.Metric($"metric_{i}");
        Assert.Contains("512 metrics", Assert.Throws<RecordBatchException>(() => builder.Metric("one_more")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_over_the_limit_of_bytes_is_not_built()
    {
        var builder = new RecordBatchBuilder();
        var random = new Random(1);
        for (var i = 0; i < RecordBatchLimits.BytesMax / 64; i++)
        {
            builder.BeginRecord(i, builder.Series(new GpuIdentity("h", "0")));
            for (var metric = 0; metric < 8; metric++)
                builder.Set(builder.Metric($"metric_{metric}"), random.NextDouble());
        }
        Assert.True(builder.EncodedBytesMax > RecordBatchLimits.BytesMax);
        Assert.Contains("4194304", Assert.Throws<RecordBatchException>(() => builder.Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_names_and_times_out_of_range_are_refused()
    {
        var builder = new RecordBatchBuilder();
        Assert.Throws<RecordBatchException>(() => builder.Series(new GpuIdentity("", "0")));
        Assert.Throws<RecordBatchException>(() => builder.Series(new GpuIdentity("h", "")));
        Assert.Throws<RecordBatchException>(() => builder.Series(new GpuIdentity("h", "0", Pod: new string('ü', 513))));
        Assert.Throws<RecordBatchException>(() => builder.Metric(""));
        Assert.Throws<RecordBatchException>(() => builder.Metric(new string('x', 1025)));
        Assert.Throws<RecordBatchException>(() => builder.Build());
        var series = builder.Series(new GpuIdentity("h", "0", Pod: new string('ü', 512)));
        Assert.Throws<RecordBatchException>(() => builder.BeginRecord(RecordBatchLimits.TimeUnixMsMax + 1, series));
        Assert.Throws<RecordBatchException>(() => builder.BeginRecord(RecordBatchLimits.TimeUnixMsMin - 1, series));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.BeginRecord(0, series + 1));
        builder.BeginRecord(0, series);
        Assert.Equal(builder.SeriesList[0], RecordBatch.Decode(builder.Build().Span).Series[0]);
    }

    [Fact]
    public void A_present_value_that_is_not_finite_poisons_its_record()
    {
        // No encoder of ours writes it, so it is put into the bytes of a plain column.
        var samples = Enumerable.Range(0, 20).Select(i => new GpuSample(
            i, new GpuIdentity("h", "0"), i % 2 == 0 ? [new MetricValue("ratio", 1 / (i + 3.0))] : [])).ToArray();
        var encoded = RecordBatchTests.Encode(samples).ToArray();
        BinaryPrimitives.WriteDoubleLittleEndian(encoded.AsSpan(encoded.Length - 8), double.NegativeInfinity);
        BinaryPrimitives.WriteDoubleLittleEndian(encoded.AsSpan(encoded.Length - 24), double.NaN);
        Seal(encoded);
        var batch = RecordBatch.Decode(encoded);
        Assert.Equal([14, 18], batch.Poisoned);
        Assert.Throws<RecordBatchException>(() => RecordBatch.Split(encoded));
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_found()
    {
        for (var bit = 0; bit < Valid.Length * 8; bit++)
        {
            var damaged = Valid.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<RecordBatchException>(() => RecordBatch.Decode(damaged));
        }
    }

    [Fact]
    public void A_batch_cut_anywhere_is_refused_even_with_a_right_checksum()
    {
        for (var length = 0; length < Valid.Length; length++)
        {
            var cut = Valid[..length];
            Assert.Throws<RecordBatchException>(() => RecordBatch.Decode(cut));
            if (length < RecordBatchLayout.HeaderBytes)
                continue;
            Seal(cut);
            Assert.Throws<RecordBatchException>(() => RecordBatch.Decode(cut));
        }
        byte[] longer = [.. Valid, 0];
        Seal(longer);
        Assert.Contains("1 bytes follow", Assert.Throws<RecordBatchException>(() => RecordBatch.Decode(longer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_with_a_right_checksum_are_decoded_or_refused_within_bounds() =>
        Gen.Select(Gen.Int[12, Valid.Length - 1], Gen.Byte).Array[1, 6].Sample(
            mutations =>
            {
                var mutated = Valid.ToArray();
                foreach (var (at, value) in mutations)
                    mutated[at] = value;
                Seal(mutated);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    var batch = RecordBatch.Decode(mutated);
                    Assert.All(batch.SeriesOf.ToArray(), series => Assert.InRange(series, 0, batch.Series.Count - 1));
                    Assert.All(batch.Times.ToArray(), time => Assert.InRange(time, RecordBatchLimits.TimeUnixMsMin, RecordBatchLimits.TimeUnixMsMax));
                }
                catch (RecordBatchException)
                {
                    // Refused: all that these bytes may do.
                }
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 40L * 1024 * 1024);
            },
            iter: 20_000);

    [Fact]
    public void Random_bytes_are_refused() =>
        Gen.Byte.Array[0, 200].Sample(bytes => Assert.Throws<RecordBatchException>(() => RecordBatch.Decode(bytes)));

    [Fact]
    public void A_batch_of_another_version_is_named_as_such()
    {
        var newer = Valid.ToArray();
        newer[RecordBatchLayout.VersionAt] = 2;
        Assert.Contains("version 2", Assert.Throws<RecordBatchException>(() => RecordBatch.Decode(newer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Claims_without_bytes_allocate_little()
    {
        // 65,536 series, 512 metrics and 65,536 records, claimed in a header of 24 bytes.
        var claims = Valid[..RecordBatchLayout.HeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(claims.AsSpan(RecordBatchLayout.RecordCountAt), 4_096);
        BinaryPrimitives.WriteInt32LittleEndian(claims.AsSpan(RecordBatchLayout.SeriesCountAt), RecordBatchLimits.RecordsMax);
        BinaryPrimitives.WriteInt32LittleEndian(claims.AsSpan(RecordBatchLayout.MetricCountAt), RecordBatchLimits.MetricsMax);
        Seal(claims);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("65536 identities", Assert.Throws<RecordBatchException>(() => RecordBatch.Decode(claims)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
    }

    [Fact]
    public void Adding_allocates_nothing_a_record()
    {
        var samples = RecordBatchTests.Fleet(hosts: 4, seconds: 20);
        var builder = new RecordBatchBuilder();
        RecordBatchTests.Encode(samples, builder);
        builder.Clear();
        RecordBatchTests.Encode(samples, builder);
        builder.Clear();
        foreach (var sample in samples[..32])
            builder.Add(sample);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var sample in samples.AsSpan(32))
            builder.Add(sample);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>Makes the checksum right again, so that what is behind it is tested.</summary>
    private static void Seal(Span<byte> encoded) => BinaryPrimitives.WriteUInt32LittleEndian(
        encoded[RecordBatchLayout.ChecksumAt..], Crc32C.Compute(encoded[RecordBatchLayout.CheckedFrom..]));
}
