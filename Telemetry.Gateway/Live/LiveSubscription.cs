using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Live;

/// <summary>
/// Events on their way from the feed to one listener: as many as may wait for it. One that falls behind further loses what
/// waits and is told so; the store still has it.
/// </summary>
/// <param name="filter">What the listener wants.</param>
/// <param name="start">Events are of records that were written after this.</param>
/// <param name="recordsMax">Records that may wait.</param>
/// <param name="bytesMax">Bytes that may wait. An event that waits alone may have more of both.</param>
internal sealed class LiveSubscription(LiveFilter filter, StorePosition start, int recordsMax, long bytesMax)
{
    private readonly Lock _lock = new();
    private readonly Queue<LiveEvent> _events = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StorePosition _position = start;
    private int _records;
    private long _bytes;
    private bool _isDropped;
    private bool _isEnded;
    private Exception? _error;

    /// <summary>What the listener wants.</summary>
    public LiveFilter Filter => filter;

    /// <summary>Where it begins.</summary>
    public StorePosition Start { get; } = start;

    /// <summary>Adds an event, or nothing where no record is for the listener.</summary>
    /// <param name="next">The event.</param>
    /// <param name="position">Up to where the records are in it or not for the listener.</param>
    public void Add(LiveEvent? next, StorePosition position)
    {
        lock (_lock)
        {
            _position = position;
            if (next is null || _isEnded)
                return;
            (_records, _bytes) = (_records + next.Records, _bytes + next.Bytes.Length);
            if (_events.Count > 0 && (_records > recordsMax || _bytes > bytesMax))
            {
                _events.Clear();
                (_isDropped, _isEnded) = (true, true);
            }
            else
            {
                _events.Enqueue(next);
            }
            _changed.TrySetResult();
        }
    }

    /// <summary>Nothing more is added.</summary>
    /// <param name="error">Why, where something failed.</param>
    public void End(Exception? error)
    {
        lock (_lock)
        {
            (_isEnded, _error) = (true, _error ?? error);
            _changed.TrySetResult();
        }
    }

    /// <summary>What the listener has to do.</summary>
    /// <param name="Event">The event to send; null for none.</param>
    /// <param name="Position">Where the stream stands when nothing waits.</param>
    /// <param name="IsDropped">Whether it was too slow.</param>
    /// <param name="IsEnded">Whether nothing more comes.</param>
    /// <param name="Changed">Ends when there is something new.</param>
    public readonly record struct State(LiveEvent? Event, StorePosition Position, bool IsDropped, bool IsEnded, Task Changed);

    /// <summary>Takes the next event.</summary>
    /// <exception cref="Exception">The feed failed.</exception>
    public State Take()
    {
        lock (_lock)
        {
            if (_events.TryDequeue(out var next))
            {
                (_records, _bytes) = (_records - next.Records, _bytes - next.Bytes.Length);
                return new State(next, _position, false, false, Task.CompletedTask);
            }
            if (_error is not null)
                throw new InvalidOperationException("the live feed failed", _error);
            if (!_isEnded && _changed.Task.IsCompleted)
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new State(null, _position, _isDropped, _isEnded, _changed.Task);
        }
    }
}
