using System.Buffers.Binary;
using Telemetry.Storage;
using Telemetry.Storage.History;

namespace Telemetry.Tests.Storage;

public sealed class ChunkDamageTests
{
    private static byte[] Sample(int seed, int rows)
    {
        var random = new Random(seed);
        return ChunkTests.Encode(ChunkShapes.Times(random, rows), [.. ChunkShapes.All.Select((shape, metric) => (metric, shape(random, rows)))]);
    }

    [Fact]
    public void The_checksum_is_crc_32c() => Assert.Equal(0xE306_9283u, Crc32C.Compute("123456789"u8));

    [Fact]
    public void Any_flipped_bit_is_found()
    {
        var chunk = Sample(1, 60);
        var reader = new ChunkReader();
        for (var bit = 0; bit < chunk.Length * 8; bit++)
        {
            chunk[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<StoreException>(() => reader.Open(chunk));
            chunk[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        reader.Open(chunk);
    }

    [Fact]
    public void Any_cut_is_found()
    {
        var chunk = Sample(2, 100);
        var reader = new ChunkReader();
        for (var length = 0; length < chunk.Length; length++)
        {
            var fault = Assert.Throws<StoreException>(() => reader.Open(chunk.AsMemory(0, length)));
            Assert.Equal(StoreFault.Damaged, fault.Fault);
        }
    }

    [Fact]
    public void A_newer_version_is_not_taken_for_damage()
    {
        var chunk = Sample(3, 10);
        chunk[4] = Chunk.Version + 1;
        Assert.Equal(StoreFault.Unusable, Assert.Throws<StoreException>(() => new ChunkReader().Open(Sealed(chunk))).Fault);
    }

    /// <summary>A wrong checksum must not be the only guard: whatever the bytes say, reading ends, within its buffers.</summary>
    [Fact]
    public void Hostile_bytes_under_a_right_checksum_are_refused_or_decoded_and_nothing_else()
    {
        var random = new Random(4);
        var reader = new ChunkReader();
        var times = new long[Chunk.RowsMax];
        var values = new double[Chunk.RowsMax];
        var refused = 0;
        for (var round = 0; round < 4_000; round++)
        {
            var chunk = Sample(round % 7, 30 + (round % 5 * 40));
            for (var change = random.Next(4); change >= 0; change--)
                chunk[random.Next(3) == 0 ? random.Next(5, 60) : random.Next(5, chunk.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                chunk = chunk[..random.Next(5, chunk.Length)];
            try
            {
                reader.Open(Sealed(chunk));
                foreach (var metric in reader.Metrics)
                    reader.Read(metric, values);
                reader.ReadTimes(times);
            }
            catch (StoreException e)
            {
                Assert.True(e.Fault is StoreFault.Damaged or StoreFault.Unusable, e.Message);
                refused++;
            }
        }
        Assert.InRange(refused, 1_000, 4_000);
    }

    [Fact]
    public void A_refused_chunk_leaves_the_reader_empty()
    {
        var reader = new ChunkReader();
        reader.Open(Sample(5, 20));
        Assert.Throws<StoreException>(() => reader.Open(new byte[64]));
        Assert.Equal(0, reader.Rows);
        Assert.Empty(reader.Metrics);
    }

    private static byte[] Sealed(byte[] chunk)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(chunk, Crc32C.Compute(chunk.AsSpan(4)));
        return chunk;
    }
}
