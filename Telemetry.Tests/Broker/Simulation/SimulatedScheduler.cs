namespace Telemetry.Tests.Broker.Simulation;

/// <summary>
/// Runs what is awaited in an order that the seed decides: whatever continues goes onto a heap, and one after another is
/// taken from anywhere in it. So a schedule is the same each time, on one thread.
/// </summary>
internal sealed class SimulatedScheduler(Random random) : SynchronizationContext
{
    private readonly List<(SendOrPostCallback Callback, object? State)> _posted = [];

    public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Lets everything continue until nothing is left to.</summary>
    public void RunAll()
    {
        while (_posted.Count > 0)
            RunOne();
    }

    /// <summary>Lets some of it continue.</summary>
    public void RunSome()
    {
        for (var left = random.Next(4); left > 0 && _posted.Count > 0; left--)
            RunOne();
    }

    private void RunOne()
    {
        var index = random.Next(_posted.Count);
        var (callback, state) = _posted[index];
        _posted.RemoveAt(index);
        callback(state);
    }
}
