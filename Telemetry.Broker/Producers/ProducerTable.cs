namespace Telemetry.Broker.Producers;

/// <summary>The producers that a partition knows. Bounded: when it is full, those go that were unused for the longest and for at least the TTL.</summary>
internal sealed class ProducerTable(int producersMax, TimeSpan unusedMin)
{
    private readonly Dictionary<string, ProducerState> _states = new(StringComparer.Ordinal);

    public int Count => _states.Count;

    public ProducerState? Find(string producerId) => _states.GetValueOrDefault(producerId);

    /// <summary>Whether a producer that is not known could be added.</summary>
    public bool HasRoom(long nowLogMs) =>
        _states.Count < producersMax || _states.Values.Any(state => nowLogMs - state.UsedLogMs >= unusedMin.TotalMilliseconds);

    /// <summary>The state of a producer; adds it if it is new.</summary>
    public ProducerState Open(string producerId, long nowLogMs)
    {
        if (!_states.TryGetValue(producerId, out var state))
        {
            if (_states.Count >= producersMax)
                DropUnused(nowLogMs);
            _states.Add(producerId, state = new ProducerState(producerId));
        }
        state.UsedLogMs = nowLogMs;
        return state;
    }

    /// <summary>Drops the oldest eighth, so that this is not done for each new producer again.</summary>
    private void DropUnused(long nowLogMs)
    {
        var unused = _states.Values
            .Where(state => nowLogMs - state.UsedLogMs >= unusedMin.TotalMilliseconds)
            .OrderBy(state => state.UsedLogMs)
            .Take(Math.Max(1, producersMax / 8))
            .ToList();
        foreach (var state in unused)
            _states.Remove(state.ProducerId);
    }
}
