using System.Text;
using CsCheck;
using Telemetry.Messaging.Records;
using Telemetry.Streamer;
using Telemetry.Streamer.Shards;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Streamer;

/// <summary>However often reading is cut and begun again, and whoever owns a shard: the queue gets each record once, in order.</summary>
public sealed class RestartTests
{
    private const int Shards = 4;

    /// <summary>What the queue has of each shard.</summary>
    private sealed class Log
    {
        public List<string>[] Records { get; } = [.. Enumerable.Range(0, Shards).Select(_ => new List<string>())];

        public byte[][] Position { get; } = [.. Enumerable.Range(0, Shards).Select(_ => Array.Empty<byte>())];

        public long[] After { get; } = new long[Shards];

        /// <summary>Appends a batch, or, as a client does that has to split one, only its first records, which have no position.</summary>
        public void Append(int shard, EncodedBatch batch, int? records = null)
        {
            var samples = RecordBatch.Decode(batch.Bytes.Span).Samples().Select(TestInput.Text).ToList();
            if (records is { } part && part < samples.Count)
            {
                Records[shard].AddRange(samples.Take(part));
                After[shard] += part;
                return;
            }
            Records[shard].AddRange(samples);
            (Position[shard], After[shard]) = (batch.Position.Encode(), 0);
        }
    }

    private sealed class Replica : IDisposable
    {
        private readonly StreamerMetrics _metrics = new();
        private readonly Log _log;
        private readonly InputReader _reader;
        private List<Shard> _owned = [];

        public Replica(StreamerOptions options, Log log, int windowRows)
        {
            _log = log;
            var badRows = new BadRows(new TestLog(), _metrics, TimeProvider.System);
            _reader = new InputReader(Input.Open(options)!, ReadOptions.Of(options, Shards) with { WindowRows = windowRows }, badRows, TimeProvider.System, new TestLog());
        }

        public bool Ended { get; private set; }

        public int OwnedCount => _owned.Count;

        public void Own(IEnumerable<int> shards)
        {
            var numbers = shards.ToList();
            _owned = [.. _owned.Where(shard => numbers.Contains(shard.Number))];
            _owned.AddRange(numbers.Where(number => _owned.All(shard => shard.Number != number)).ToList()
                .Select(number => _reader.Resume(number, _log.Position[number], _log.After[number])));
            _reader.SetShards(_owned);
            Ended = false;
        }

        public void Read(int records)
        {
            var step = _reader.Advance(records, CancellationToken.None);
            if (step == ReadStep.Full)
                Flush(_reader.FullShard!);
            Ended = step == ReadStep.EndOfPass;
            if (Ended)
                FlushAll();
        }

        public void FlushAll()
        {
            foreach (var shard in _owned)
                Flush(shard);
        }

        public void FlushPart(int records)
        {
            foreach (var shard in _owned.Where(shard => shard.Count > 0))
                _log.Append(shard.Number, shard.TakeBatch(null), records);
        }

        public void Dispose()
        {
            _reader.Dispose();
            _metrics.Dispose();
        }

        private void Flush(Shard shard)
        {
            if (shard.Count > 0)
                _log.Append(shard.Number, shard.TakeBatch(null));
        }
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static readonly Gen<string> LineEnd = OneOf("\n", "\r\n", "\n\n", "\r\n  \r\n");

    private static readonly Gen<string> WideRow =
        from second in Gen.Int[0, 9]
        from host in Gen.Int[0, 5]
        from gpu in Gen.Int[0, 2]
        from value in Gen.Int[-20, 120]
        from shape in Gen.Int[0, 13]
        from end in LineEnd
        select shape switch
        {
            0 => $"broken,{host}{end}",
            1 => $"2025-07-18T20:42:0{second}Z,\"h\n{host}\",{gpu},\"u,\"\"{host}\",{value},1{end}",
            2 => $"2025-07-18T20:42:0{second}Z,\"h{host},{gpu},u{host},{value},1{end}",
            3 => $"never,h{host},{gpu},u{host},{value},1{end}",
            4 => $"2025-07-18T20:42:0{second}Z,\"q\nq{host}\",{gpu},\"line\nbreak\",{value},2{end}",
            _ => $"2025-07-18T20:42:0{second}Z,h{host},{gpu},u{host},{value},{second}{end}",
        };

    private static readonly Gen<string> LongRow =
        from second in Gen.Int[0, 9]
        from host in Gen.Int[0, 3]
        from gpu in Gen.Int[0, 1]
        from metric in OneOf("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE", "")
        from value in Gen.Int[-5, 105]
        from broken in Gen.Int[0, 20]
        from end in LineEnd
        select broken == 0 ? $"\"open,{host}{end}" : TestInput.LongRow($"2025-07-18T20:42:0{second}Z", metric, $"h{host}", $"{gpu}", $"{value}").TrimEnd('\n') + end;

    private static readonly Gen<string> File = Gen.OneOf(
        WideRow.Array[1, 60].Select(rows => TestInput.WideHeader + string.Concat(rows)),
        LongRow.Array[1, 80].Select(rows => TestInput.LongHeader + string.Concat(rows)));

    private static List<string>[] Expected(StreamerOptions options, int windowRows)
    {
        var log = new Log();
        using var replica = new Replica(options, log, windowRows);
        replica.Own(Enumerable.Range(0, Shards));
        while (!replica.Ended)
            replica.Read(int.MaxValue);
        return log.Records;
    }

    [Fact]
    public void F29_Killed_anywhere_and_begun_again_the_same_records_are_sent_exactly_once() =>
        Gen.Select(File, Gen.Int[1, 8], Gen.Int[0, 10_000].Array[1, 8]).Sample((text, windowRows, lives) =>
        {
            using var files = new TestInput();
            files.Write(text);
            var expected = Expected(files.Options, windowRows);
            var log = new Log();
            foreach (var life in lives)
            {
                using var replica = new Replica(files.Options, log, windowRows);
                replica.Own(Enumerable.Range(0, Shards));
                var random = new Random(life);
                for (var step = random.Next(6); step > 0 && !replica.Ended; step--)
                {
                    replica.Read(random.Next(1, 8));
                    if (random.Next(3) > 0)
                        replica.FlushAll();
                }
                if (random.Next(4) == 0)
                    replica.FlushPart(random.Next(1, 4));
            }
            using (var last = new Replica(files.Options, log, windowRows))
            {
                last.Own(Enumerable.Range(0, Shards));
                while (!last.Ended)
                    last.Read(5);
            }
            for (var shard = 0; shard < Shards; shard++)
                Assert.Equal(expected[shard], log.Records[shard]);
        }, iter: 300);

    [Fact]
    public void F37_Over_changing_assignments_each_row_is_sent_exactly_once() =>
        Gen.Select(File, Gen.Int[1, 8], Gen.Int[0, 1_000_000]).Sample((text, windowRows, seed) =>
        {
            using var files = new TestInput();
            files.Write(text);
            var expected = Expected(files.Options, windowRows);
            var log = new Log();
            var random = new Random(seed);
            var owner = new int[Shards];
            var replicas = Enumerable.Range(0, 3).Select(_ => new Replica(files.Options, log, windowRows)).ToList();
            void Assign()
            {
                for (var i = 0; i < replicas.Count; i++)
                    replicas[i].Own(Enumerable.Range(0, Shards).Where(shard => owner[shard] == i));
            }
            Assign();
            for (var step = 0; step < 40; step++)
            {
                var replica = replicas[random.Next(replicas.Count)];
                if (random.Next(3) > 0 && replica.OwnedCount > 0 && !replica.Ended)
                    replica.Read(random.Next(1, 10));
                if (random.Next(2) == 0)
                    replica.FlushAll();
                if (random.Next(3) == 0)
                {
                    // Some give back what they have read, as when they are asked; some just lose it.
                    if (random.Next(2) == 0)
                        replicas.ForEach(r => r.FlushAll());
                    owner[random.Next(Shards)] = random.Next(replicas.Count);
                    Assign();
                }
            }
            foreach (var replica in replicas)
            {
                while (replica.OwnedCount > 0 && !replica.Ended)
                    replica.Read(int.MaxValue);
                replica.Dispose();
            }
            for (var shard = 0; shard < Shards; shard++)
                Assert.Equal(expected[shard], log.Records[shard]);
        }, iter: 300);

    [Fact]
    public void A_position_is_of_a_fixed_form()
    {
        var position = new SourcePosition(3, 0x0123456789abcdef, 4711, 42, 9000, 17);
        Assert.Equal(
            "010300000000000000efcdab89674523016712000000000000" + "2a0000000000000028230000000000001100000000000000",
            Convert.ToHexStringLower(position.Encode()));
        Assert.Equal(position, SourcePosition.Decode(position.Encode()));
    }

    [Fact]
    public void What_is_not_a_position_is_refused()
    {
        var valid = new SourcePosition(3, 0x0123456789abcdef, 4711, 42, 9000, 17).Encode();
        for (var length = 0; length < valid.Length; length++)
            Assert.Null(SourcePosition.Decode(valid.AsSpan(0, length)));
        Assert.Null(SourcePosition.Decode([.. valid, 0]));
        Assert.Null(SourcePosition.Decode([2, .. valid[1..]])); // another version
        Assert.Null(SourcePosition.Decode(new SourcePosition(-1, 1, 0, 1).Encode()));
        Assert.Null(SourcePosition.Decode(new SourcePosition(0, 1, -1, 1).Encode()));
        Assert.Null(SourcePosition.Decode(new SourcePosition(0, 1, 0, 0).Encode()));
        Assert.Null(SourcePosition.Decode(new SourcePosition(0, 1, 0, 1, -2).Encode()));
        Assert.Null(SourcePosition.Decode(new SourcePosition(0, 1, 0, 1, -1, -1).Encode()));
    }

    [Fact]
    public void An_unknown_position_begins_at_the_first_row()
    {
        using var files = new TestInput();
        files.Write(TestInput.WideHeader + "2025-07-18T20:42:00Z,h,0,u,1,2\n");
        var log = new Log();
        log.Position[0] = Encoding.UTF8.GetBytes("not ours");
        for (var shard = 1; shard < Shards; shard++)
            log.Position[shard] = new SourcePosition(0, 12345, 10, 1).Encode();
        using var replica = new Replica(files.Options, log, 8);
        replica.Own(Enumerable.Range(0, Shards));
        replica.Read(int.MaxValue);
        Assert.Single(log.Records.SelectMany(records => records));
    }

    [Fact]
    public void F28_A_position_beyond_a_file_that_was_cut_begins_at_its_first_row()
    {
        using var files = new TestInput();
        files.Write(TestInput.WideHeader + "2025-07-18T20:42:00Z,h,0,u,1,2\n2025-07-18T20:42:01Z,h,0,u,3,4\n");
        var log = new Log();
        using (var replica = new Replica(files.Options, log, 8))
        {
            replica.Own(Enumerable.Range(0, Shards));
            replica.Read(int.MaxValue);
        }
        files.Write(TestInput.WideHeader + "2025-07-18T20:42:00Z,h,0,u,1,2\n");
        using (var replica = new Replica(files.Options, log, 8))
        {
            replica.Own(Enumerable.Range(0, Shards));
            replica.Read(int.MaxValue);
        }
        Assert.Equal(3, log.Records.Sum(records => records.Count));
    }
}
