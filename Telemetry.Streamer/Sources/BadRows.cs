using System.Globalization;

namespace Telemetry.Streamer.Sources;

/// <summary>
/// Counts rows and values that are not used, by reason, and logs them with file and line: the first ones each, then a
/// summary a minute.
/// </summary>
internal sealed class BadRows(ILogger logger, StreamerMetrics metrics, TimeProvider time)
{
    /// <summary>Rows and values that are logged one by one.</summary>
    internal const int LoggedMax = 10;

    private static readonly TimeSpan SummaryPeriod = TimeSpan.FromMinutes(1);

    private readonly SortedDictionary<string, long> _unlogged = new(StringComparer.Ordinal);
    private int _logged;
    private long _lastSummary;

    /// <summary>Rows that were skipped.</summary>
    public long Rows { get; private set; }

    /// <summary>Values that were left out of rows that were kept.</summary>
    public long Values { get; private set; }

    /// <summary>A row is skipped.</summary>
    public void Row(string reason, string file, long line)
    {
        Rows++;
        metrics.Error(reason);
        if (_logged < LoggedMax)
        {
            _logged++;
            StreamerLog.BadRow(logger, file, line, reason);
        }
        else
            Defer(reason);
    }

    /// <summary>A value is left out of its row.</summary>
    public void Value(string reason, string file, long line, string metric)
    {
        Values++;
        metrics.Error(reason);
        if (_logged < LoggedMax)
        {
            _logged++;
            StreamerLog.BadValue(logger, file, line, reason, metric);
        }
        else
            Defer(reason);
    }

    /// <summary>Logs what was counted and not yet logged.</summary>
    public void LogSummary()
    {
        if (_unlogged.Count == 0)
            return;
        var reasons = string.Join(", ", _unlogged.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")));
        StreamerLog.MoreBadRows(logger, _unlogged.Values.Sum(), reasons);
        _unlogged.Clear();
        _lastSummary = time.GetTimestamp();
    }

    private void Defer(string reason)
    {
        if (_unlogged.Count == 0 && _lastSummary == 0)
            _lastSummary = time.GetTimestamp();
        _unlogged[reason] = _unlogged.GetValueOrDefault(reason) + 1;
        if (time.GetElapsedTime(_lastSummary) >= SummaryPeriod)
            LogSummary();
    }
}
