using System.Diagnostics;
using System.Threading.Channels;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;
using Telemetry.Streamer.Shards;

namespace Telemetry.Tests.Streamer;

/// <summary>A queue in memory that does what the streamer may rely on: producer epochs, states, acknowledgements in order, and a scripted group.</summary>
internal sealed class FakeQueue(int partitions = 4) : IInputQueue
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, State> _states = [];
    private readonly List<(int Partition, GpuSample Sample)> _records = [];
    private readonly List<(int Records, DateTimeOffset At)> _batches = [];
    private readonly List<ActivityContext> _traces = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _room = Completed();

    private sealed class State
    {
        public int Epoch;
        public long Next;
        public byte[] Position = [];
        public long PositionSequence;
    }

    /// <summary>What the group does when a streamer joins; by default it gets everything.</summary>
    public Action<FakeMembership>? OnJoin { get; set; }

    /// <summary>The memberships, in the order in which they joined.</summary>
    public List<FakeMembership> Memberships { get; } = [];

    /// <summary>Throws this at the next publish.</summary>
    public QueueException? NextFailure { get; set; }

    /// <summary>How often the queue says that it cannot be reached, before it can.</summary>
    public int Unreachable { get; set; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public string Address => "http://fake:9090/";

    public bool IsDisposed { get; private set; }

    /// <summary>The records in the log.</summary>
    public IReadOnlyList<GpuSample> Samples
    {
        get
        {
            lock (_lock)
                return [.. _records.Select(record => record.Sample)];
        }
    }

    public IReadOnlyList<(int Partition, GpuSample Sample)> Records
    {
        get
        {
            lock (_lock)
                return [.. _records];
        }
    }

    /// <summary>The batches in the log: their records, and when they came.</summary>
    public IReadOnlyList<(int Records, DateTimeOffset At)> Batches
    {
        get
        {
            lock (_lock)
                return [.. _batches];
        }
    }

    /// <summary>The spans of the batches.</summary>
    public IReadOnlyList<ActivityContext> Traces
    {
        get
        {
            lock (_lock)
                return [.. _traces];
        }
    }

    /// <summary>From now on publishes are not answered, until <see cref="Answer"/>.</summary>
    public void HoldAnswers() => _room = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Answer() => _room.TrySetResult();

    /// <summary>The log is lost, as in a broker without a disk that is started again.</summary>
    public void Forget()
    {
        lock (_lock)
            _states.Clear();
    }

    public Task<int> PartitionsAsync(string topic, Action<string> onRetry, CancellationToken cancellationToken)
    {
        for (; Unreachable > 0; Unreachable--)
            onRetry("connection refused");
        return Task.FromResult(partitions);
    }

    public IShardMembership Join(string group, string topic, int shards)
    {
        var membership = new FakeMembership(group, shards, Changed, CheckFinished);
        lock (_lock)
            Memberships.Add(membership);
        if (OnJoin is null)
            membership.Assign(Enumerable.Range(0, shards));
        else
            OnJoin(membership);
        Changed();
        return membership;
    }

    public Task<IShardProducer> OpenAsync(string topic, string producerId, int partition, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_states.TryGetValue(producerId, out var state))
                _states.Add(producerId, state = new State());
            state.Epoch++;
            var opened = new ProducerState(state.Next, state.Position, state.Next - state.PositionSequence);
            return Task.FromResult<IShardProducer>(new Producer(this, producerId, partition, state.Epoch, opened));
        }
    }

    /// <summary>Waits until the log is as a test wants it.</summary>
    public async Task WaitAsync(Func<FakeQueue, bool> isThere, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
                changed = _changed.Task;
            if (isThere(this))
                return;
            await changed.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
        }
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }

    /// <summary>As a coordinator does: tells all members when every shard is finished by its owner.</summary>
    private void CheckFinished()
    {
        List<FakeMembership> members;
        lock (_lock)
            members = [.. Memberships.Where(member => !member.Left.IsCompleted)];
        if (members.Sum(member => member.FinishedCount) == members[0].Shards)
            members.ForEach(member => member.EndAll());
        Changed();
    }

    private void Changed()
    {
        lock (_lock)
        {
            _changed.TrySetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private sealed class Producer(FakeQueue queue, string id, int partition, int epoch, ProducerState opened) : IShardProducer
    {
        public ProducerState Opened => opened;

        public ValueTask<Task<PublishResult>> SendAsync(ReadOnlyMemory<byte> batch, int recordCount, ReadOnlyMemory<byte> position, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new(AppendAsync(batch, recordCount, position.ToArray()));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private async Task<PublishResult> AppendAsync(ReadOnlyMemory<byte> batch, int recordCount, byte[] position)
        {
            await queue._room.Task;
            var decoded = RecordBatch.Decode(batch.Span);
            var samples = decoded.Samples().ToList();
            Assert.Equal(recordCount, samples.Count);
            lock (queue._lock)
            {
                if (queue.NextFailure is { } failure)
                {
                    queue.NextFailure = null;
                    throw failure;
                }
                if (!queue._states.TryGetValue(id, out var state) || state.Epoch != epoch)
                    throw new QueueException(state is null ? ErrorCode.UnknownProducer : ErrorCode.ProducerFenced, $"{id} at epoch {epoch}");
                state.Next += recordCount;
                (state.Position, state.PositionSequence) = (position, state.Next);
                queue._records.AddRange(samples.Select(sample => (partition, sample)));
                queue._traces.Add(decoded.Trace);
                queue._batches.Add((recordCount, queue.Time.GetUtcNow()));
            }
            queue.Changed();
            return new PublishResult(0, false);
        }
    }
}

/// <summary>A place in the group, which a test assigns and revokes.</summary>
internal sealed class FakeMembership(string group, int shards, Action onLeft, Action onFinished) : IShardMembership
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, bool> _owned = []; // and whether it is finished
    private readonly Channel<AssignmentChange> _changes = Channel.CreateUnbounded<AssignmentChange>();
    private readonly Channel<IReadOnlyList<int>> _released = Channel.CreateUnbounded<IReadOnlyList<int>>();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Group => group;

    public int Shards => shards;

    /// <summary>Ends when the member has left.</summary>
    public Task Left => _left.Task;

    /// <summary>How many of its shards are finished.</summary>
    public int FinishedCount
    {
        get
        {
            lock (_lock)
                return _owned.Count(shard => shard.Value);
        }
    }

    public void Assign(IEnumerable<int> numbers)
    {
        List<int> assigned = [.. numbers];
        lock (_lock)
            assigned.ForEach(number => _owned[number] = false);
        _changes.Writer.TryWrite(new AssignmentChange.Assigned([.. assigned.Select(number => new ShardAssignment(number, 1, -1))]));
    }

    public void Lose(IEnumerable<int> numbers)
    {
        List<int> lost = [.. numbers];
        Free(lost);
        _changes.Writer.TryWrite(new AssignmentChange.Lost(lost, "fenced"));
    }

    /// <summary>Tells that all of the input is sent.</summary>
    public void EndAll() => _changes.Writer.TryWrite(new AssignmentChange.AllFinished());

    public void Refuse(QueueException error) => _changes.Writer.TryComplete(error);

    /// <summary>Revokes shards and waits until they are given back; false when the member has left instead.</summary>
    public async Task<bool> RevokeAsync(IReadOnlyList<int> numbers, TimeSpan deadline, CancellationToken cancellationToken)
    {
        _changes.Writer.TryWrite(new AssignmentChange.Revoked(numbers, deadline));
        var released = _released.Reader.ReadAsync(cancellationToken).AsTask();
        await Task.WhenAny(released, Left).WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
        if (!released.IsCompleted)
            return false;
        Assert.Equal(numbers.Order(), (await released).Order());
        return true;
    }

    public IAsyncEnumerable<AssignmentChange> ChangesAsync(CancellationToken cancellationToken) => _changes.Reader.ReadAllAsync(cancellationToken);

    public Task ReleaseAsync(IReadOnlyList<int> numbers, CancellationToken cancellationToken)
    {
        Free(numbers);
        _released.Writer.TryWrite(numbers);
        return Task.CompletedTask;
    }

    public Task FinishAsync(IReadOnlyList<int> numbers, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (var number in numbers.Where(_owned.ContainsKey))
                _owned[number] = true;
        }
        onFinished();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _changes.Writer.TryComplete();
        _left.TrySetResult();
        onLeft();
        return ValueTask.CompletedTask;
    }

    private void Free(IEnumerable<int> numbers)
    {
        lock (_lock)
        {
            foreach (var number in numbers)
                _owned.Remove(number);
        }
    }
}
