using Telemetry.Storage.Queries;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>Goes through the roll-ups of hours, hour by hour and by series.</summary>
internal sealed class HourTable : IDisposable
{
    private readonly Statement _next;
    private readonly Statement _select;
    private readonly Statement _one;
    private readonly Statement _last;

    public HourTable(Database database, SeriesFilter filter)
    {
        _next = database.Prepare("SELECT min(hour) FROM gpu_hour WHERE hour >= ?1");
        _select = database.Prepare($"SELECT gpu, rows, first_time, last_time, totals FROM gpu_hour WHERE hour = ?1{filter.Clause} ORDER BY gpu");
        _last = database.Prepare($"SELECT max(last_time) FROM gpu_hour WHERE hour = ?1{filter.Clause}");
        _one = database.Prepare("SELECT gpu, rows, first_time, last_time, totals FROM gpu_hour WHERE hour = ?1 AND gpu = ?2");
    }

    /// <summary>The hour of the roll-up at hand.</summary>
    public long Hour { get; private set; }

    public long Gpu => _select.Long(0);

    public long Rows => _select.Long(1);

    public long FirstTime => _select.Long(2);

    public long LastTime => _select.Long(3);

    /// <summary>The hours from one to another that have roll-ups, ascending.</summary>
    public IEnumerable<long> Hours(long first, long last)
    {
        for (var from = first; from <= last;)
        {
            _next.Bind(1, from);
            var hour = _next.Step() && !_next.IsNull(0) ? _next.Long(0) : long.MaxValue;
            _next.Reset();
            if (hour > last)
                yield break;
            yield return hour;
            from = hour + 1;
        }
    }

    /// <summary>The latest time of an hour's records; the end of time where it has no roll-ups.</summary>
    public long LastTimeOf(long hour)
    {
        _last.Bind(1, hour).Step();
        var time = _last.IsNull(0) ? long.MaxValue : _last.Long(0);
        _last.Reset();
        return time;
    }

    /// <summary>Begins with an hour.</summary>
    public void Begin(long hour)
    {
        _select.Reset();
        _select.Bind(1, hour);
        Hour = hour;
    }

    /// <summary>Goes to the next series of the hour; false at the end.</summary>
    public bool Read() => _select.Step();

    /// <summary>Reads the roll-up at hand.</summary>
    /// <exception cref="StoreException">It is damaged.</exception>
    public void ReadTo(GpuHour hour, int metrics, Cadence? cadence = null) =>
        hour.Read(Hour, metrics, Rows, FirstTime, LastTime, _select.Blob(4), cadence);

    /// <summary>Reads the roll-up of one series and hour; false where there is none.</summary>
    /// <exception cref="StoreException">It is damaged.</exception>
    public bool TryRead(long number, long gpu, int metrics, GpuHour hour)
    {
        if (!_one.Bind(1, number).Bind(2, gpu).Step())
        {
            hour.Clear(number, metrics);
            return false;
        }
        hour.Read(number, metrics, _one.Long(1), _one.Long(2), _one.Long(3), _one.Blob(4));
        _one.Reset();
        return true;
    }

    public void Dispose()
    {
        _next.Dispose();
        _select.Dispose();
        _one.Dispose();
        _last.Dispose();
    }
}
