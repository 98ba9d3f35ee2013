using System.Globalization;
using System.Text;
using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>
/// Schedules made from a seed: producers publish, the machine loses its power or the process is killed anywhere, also in the
/// middle of a write, and what comes up must have everything that was acknowledged, in order, once.
/// </summary>
public class CrashTests
{
    private const int Seeds = 400;

    [Fact]
    public async Task F01_F07_nothing_that_was_acknowledged_is_lost_or_doubled_whenever_the_power_goes()
    {
        var only = Environment.GetEnvironmentVariable("CRASH_SEED");
        var seeds = only is null ? Enumerable.Range(1, Seeds) : [int.Parse(only, CultureInfo.InvariantCulture)];
        foreach (var seed in seeds)
        {
            try
            {
                await new Schedule(seed).Run();
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                Assert.Fail($"seed {seed} (alone: CRASH_SEED={seed}): {error}");
            }
        }
    }

    private sealed class Schedule(int seed)
    {
        private const int Producers = 3;

        private readonly Random _random = new(seed);
        private readonly int[] _epochs = new int[Producers];
        private readonly long[] _next = new long[Producers];
        private readonly Dictionary<long, string> _acknowledged = [];
        private long _end;

        public async Task Run()
        {
            var broker = new DurableBroker();
            var restarts = 1 + _random.Next(4);
            for (var life = 0; life <= restarts; life++)
            {
                await Open(broker);
                if (life < restarts)
                    broker.Disk.DiesAfter = _random.Next(2, 80);
                for (var step = 0; step < 60 && !broker.Disk.IsDead; step++)
                    await Step(broker);
                await Check(broker.Disk.IsDead ? null : broker);
                var powerCut = _random.Next(2) == 0 ? _random : null;
                broker = broker.Restart(powerCut);
                await Check(broker);
            }
            await broker.DisposeAsync();
        }

        private async Task Open(DurableBroker broker)
        {
            for (var p = 0; p < Producers; p++)
            {
                var (epoch, snapshots) = await broker.Finish(broker.Topic.OpenProducerAsync(Name(p), TestContext.Current.CancellationToken));
                _epochs[p] = epoch;
                // What was under way may be there or not; what was acknowledged is.
                Assert.InRange(snapshots[0].NextSequence, _next[p], long.MaxValue);
                if (snapshots[0].NextSequence > 0)
                    Assert.Equal($"{snapshots[0].NextSequence}", Encoding.UTF8.GetString(snapshots[0].SourcePosition.Span));
                _next[p] = snapshots[0].NextSequence;
            }
        }

        /// <summary>Some publishes share a round of the committer.</summary>
        private async Task Step(DurableBroker broker)
        {
            var begun = new List<(int Producer, long Sequence, int Records, string Text, Task<PublishOutcome> Task)>();
            for (var i = _random.Next(1, 4); i > 0; i--)
            {
                var producer = _random.Next(Producers);
                var records = _random.Next(1, 6);
                var sequence = _next[producer] + begun.Where(other => other.Producer == producer).Sum(other => other.Records);
                var text = $"{Name(producer)} {sequence} {new string('x', _random.Next(2000))}";
                begun.Add((producer, sequence, records, text, broker.Begin(
                    Encoding.UTF8.GetBytes(text), records, Name(producer), _epochs[producer], sequence, Encoding.UTF8.GetBytes($"{sequence + records}"))));
            }
            foreach (var (producer, sequence, records, text, task) in begun)
            {
                var outcome = await broker.Finish(task);
                if (outcome.Error != ErrorCode.Ok)
                {
                    Assert.Equal(ErrorCode.StorageFailed, outcome.Error);
                    continue;
                }
                Assert.True(_acknowledged.TryAdd(outcome.BaseOffset, text), $"offset {outcome.BaseOffset} was given twice");
                _next[producer] = sequence + records;
                _end = Math.Max(_end, outcome.BaseOffset + records);
            }
        }

        private async Task Check(DurableBroker? broker)
        {
            if (broker is null)
                return;
            Assert.InRange(broker.Partition.EndOffset, _end, long.MaxValue);
            Assert.Equal(0, broker.Partition.DamagedRecords);
            var read = await broker.ReadAll();
            var next = 0L;
            var sequences = new Dictionary<string, long>();
            foreach (var batch in read)
            {
                Assert.Equal(next, batch.BaseOffset);
                next = batch.EndOffset;
                Assert.Equal(sequences.GetValueOrDefault(batch.ProducerId), batch.BaseSequence);
                sequences[batch.ProducerId] = batch.BaseSequence + batch.RecordCount;
                var text = Encoding.UTF8.GetString(batch.Payload.Span);
                Assert.StartsWith($"{batch.ProducerId} {batch.BaseSequence} ", text, StringComparison.Ordinal);
                if (_acknowledged.TryGetValue(batch.BaseOffset, out var acknowledged))
                    Assert.Equal(acknowledged, text);
                else
                    _acknowledged.Add(batch.BaseOffset, text);
            }
            Assert.Equal(broker.Partition.EndOffset, next);
            Assert.All(_acknowledged.Keys, offset => Assert.True(offset < next, $"acknowledged offset {offset} is gone"));
            _end = next;
        }

        private static string Name(int producer) => $"p{producer}";
    }
}
