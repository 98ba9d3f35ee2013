using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Telemetry.Collector.Intake;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.Records;

namespace Telemetry.Tests.Collector;

/// <summary>A partition's log in memory. Several queues can read it.</summary>
internal sealed class FakeLog
{
    private readonly Lock _lock = new();
    private readonly List<(long Base, int Count, ReadOnlyMemory<byte> Payload)> _batches = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LogIdentity Identity { get; private set; } = new(Guid.NewGuid(), 1);

    public long Start { get; private set; }

    public long End { get; private set; }

    public void Append(params GpuSample[] samples) => Append(Encode(samples), samples.Length);

    public void Append(ReadOnlyMemory<byte> payload, int count) => Change(() =>
    {
        _batches.Add((End, count, payload));
        End += count;
    });

    /// <summary>The records before an offset are gone.</summary>
    public void Expire(long before) => Change(() =>
    {
        _batches.RemoveAll(b => b.Base < before);
        Start = before;
        End = Math.Max(End, before);
    });

    /// <summary>The log was lost; there is a new one.</summary>
    public void Replace(LogIdentity? identity = null) => Change(() =>
    {
        _batches.Clear();
        (Identity, Start, End) = (identity ?? Identity with { LogEpoch = Identity.LogEpoch + 1 }, 0, 0);
    });

    public async IAsyncEnumerable<Fetched> FetchAsync(FetchFrom from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LogIdentity? current = null;
        var next = 0L;
        while (true)
        {
            var found = new List<Fetched>();
            Task changed;
            lock (_lock)
            {
                changed = _changed.Task;
                if (current != Identity)
                {
                    next = current is null && from is FetchFrom.Offset offset && offset.Log == Identity ? offset.Value : Start;
                    current = Identity;
                    found.Add(new Fetched.Started(Identity, Math.Max(next, Start), Start));
                }
                if (next < Start)
                {
                    found.Add(new Fetched.Gap(Identity, next, Start, "expired"));
                    next = Start;
                }
                foreach (var (start, count, payload) in _batches.Where(b => b.Base + b.Count > next))
                {
                    found.Add(new Fetched.Batch(Identity, start, count, (int)Math.Max(0, next - start), DateTimeOffset.UnixEpoch, payload, End));
                    next = start + count;
                }
            }
            foreach (var fetched in found)
                yield return fetched;
            await changed.WaitAsync(cancellationToken);
        }
    }

    public static ReadOnlyMemory<byte> Encode(params GpuSample[] samples)
    {
        var builder = new RecordBatchBuilder();
        foreach (var sample in samples)
            builder.Add(sample);
        return builder.Build();
    }

    private void Change(Action change)
    {
        lock (_lock)
        {
            change();
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}

/// <summary>A collector's view of partitions in memory; the test says what is assigned.</summary>
internal sealed class FakeQueue(params FakeLog[] logs) : ICollectorQueue
{
    private readonly Channel<AssignmentChange> _changes = Channel.CreateUnbounded<AssignmentChange>();
    private readonly Lock _lock = new();
    private readonly List<(Func<bool> Holds, TaskCompletionSource Signal)> _waiting = [];
    private readonly Dictionary<int, long> _commits = [];
    private readonly List<int> _released = [];
    private long _generation;

    /// <summary>Commits fail after they were noted, as when the queue dies.</summary>
    public bool CommitsFail { get; set; }

    public bool Left { get; private set; }

    public void Assign(params int[] partitions) => _changes.Writer.TryWrite(
        new AssignmentChange.Assigned([.. partitions.Select(p => new ShardAssignment(p, ++_generation, CommittedOffset: 1_000_000))]));

    public void Revoke(TimeSpan deadline, params int[] partitions) => _changes.Writer.TryWrite(new AssignmentChange.Revoked(partitions, deadline));

    public void Lose(params int[] partitions) => _changes.Writer.TryWrite(new AssignmentChange.Lost(partitions, "test"));

    /// <summary>The collector has told the queue that it has written up to an offset.</summary>
    public Task CommittedAsync(int partition, long offset) => WhenAsync(() => _commits.GetValueOrDefault(partition, -1) >= offset);

    public void ForgetCommits() => Note(_commits.Clear);

    /// <summary>Commits arrive from now on, and those that did not are forgotten: at one moment, as one may come at any.</summary>
    public void Mend() => Note(() =>
    {
        CommitsFail = false;
        _commits.Clear();
    });

    public Task ReleasedAsync(int partition) => WhenAsync(() => _released.Contains(partition));

    public IAsyncEnumerable<AssignmentChange> ChangesAsync(CancellationToken cancellationToken) => _changes.Reader.ReadAllAsync(cancellationToken);

    public IAsyncEnumerable<Fetched> FetchAsync(int partition, FetchFrom from, CancellationToken cancellationToken) => logs[partition].FetchAsync(from, cancellationToken);

    public Task ReleaseAsync(IReadOnlyList<int> partitions, CancellationToken cancellationToken)
    {
        Note(() => _released.AddRange(partitions));
        return Task.CompletedTask;
    }

    public Task CommitAsync(IReadOnlyList<(int Partition, long Offset, long Generation)> offsets, CancellationToken cancellationToken)
    {
        var fails = false;
        Note(() =>
        {
            fails = CommitsFail;
            foreach (var (partition, offset, _) in offsets)
                _commits[partition] = offset;
        });
        return fails ? Task.FromException(new QueueException(Telemetry.Messaging.V1.ErrorCode.ShuttingDown, "gone")) : Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Left = true;
        _changes.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    private void Note(Action change)
    {
        lock (_lock)
        {
            change();
            foreach (var (holds, signal) in _waiting)
            {
                if (holds())
                    signal.TrySetResult();
            }
        }
    }

    private Task WhenAsync(Func<bool> holds)
    {
        var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (holds())
                return Task.CompletedTask;
            _waiting.Add((holds, signal));
        }
        return signal.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }
}

/// <summary>Records for tests.</summary>
internal static class Samples
{
    public static GpuSample Of(int second, string host = "a", double value = 1) =>
        new(second * 1_000L, new GpuIdentity(host, "0", "GPU-1"), [new MetricValue("power_w", value)]);

    /// <summary>Batches of a run of seconds.</summary>
    public static GpuSample[] Run(int from, int count, string host = "a") => [.. Enumerable.Range(from, count).Select(i => Of(i, host, i))];

    /// <summary>Records of which one has a value that is not finite; no encoder of ours writes that.</summary>
    public static byte[] Poisoned(GpuSample[] samples, int record)
    {
        // Values that no integer or short form fits stand in the column as they are.
        var marked = samples.Select((s, i) => s with { Values = [new MetricValue("power_w", 1 / (i + 3.0))] }).ToArray();
        var encoded = FakeLog.Encode(marked).ToArray();
        var mark = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(mark, 1 / (record + 3.0));
        BinaryPrimitives.WriteDoubleLittleEndian(encoded.AsSpan(encoded.AsSpan().IndexOf(mark)), double.PositiveInfinity);
        BinaryPrimitives.WriteUInt32LittleEndian(encoded.AsSpan(RecordBatchLayout.ChecksumAt), Crc32C.Compute(encoded.AsSpan(RecordBatchLayout.CheckedFrom)));
        return encoded;
    }
}
