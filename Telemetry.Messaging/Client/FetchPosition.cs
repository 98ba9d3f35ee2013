using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>Where a fetch stands: what it asks for on the next stream, and what a response means there.</summary>
internal sealed class FetchPosition(string topic, int partition, FetchFrom from, FetchOptions options)
{
    private LogIdentity? _log; // null until the first answer
    private long _next; // the first offset that the caller has not had
    private FetchFrom _asked = from;

    public string Name { get; } = $"{topic}/{partition}";

    /// <summary>The first request of a stream: from the caller's place, and after the first answer from the record after the last one.</summary>
    public FetchStart Start()
    {
        var start = new FetchStart { Topic = topic, Partition = partition, CreditBytes = options.CreditBytes, Group = options.Group };
        if (_log is { } log)
            _asked = new FetchFrom.Offset(_next, log);
        switch (_asked)
        {
            case FetchFrom.Offset offset:
                start.Offset = offset.Value;
                if (offset.Log is { } expected)
                    start.ExpectedLog = LogIdentities.ToLogId(expected);
                break;
            case FetchFrom.AppendTime time:
                start.AppendTimeUnixMs = time.Value.ToUnixTimeMilliseconds();
                break;
            case FetchFrom.Earliest:
                start.Earliest = true;
                break;
            default:
                start.Latest = true;
                break;
        }
        return start;
    }

    /// <summary>What the caller is told, in order.</summary>
    public IEnumerable<Fetched> Apply(FetchResponse response) => response.KindCase switch
    {
        FetchResponse.KindOneofCase.Started => Started(response.Started),
        FetchResponse.KindOneofCase.Gap => Skipped(response.Gap),
        FetchResponse.KindOneofCase.Batch => Batch(response.Batch, response.HighWatermark),
        _ => [],
    };

    private IEnumerable<Fetched> Started(FetchStarted started)
    {
        var log = LogIdentities.Of(started.Log);
        // The answer may name the start of the batch that has the offset: what is before the offset is skipped. When it names
        // a later one, a gap follows. In another log the number that was asked for means nothing.
        var asked = _asked is FetchFrom.Offset offset && (offset.Log is null || offset.Log == log) ? offset.Value : started.Offset;
        _next = asked;
        if (log == _log)
            yield break; // the same log after a reconnect: nothing has changed for the caller
        _log = log;
        yield return new Fetched.Started(log, Math.Max(asked, started.Offset), started.LogStartOffset);
    }

    private IEnumerable<Fetched> Skipped(Gap gap)
    {
        _next = gap.Reason == GapReason.GapLogReplaced ? gap.ToOffset : Math.Max(_next, gap.ToOffset);
        yield return new Fetched.Gap(_log ?? default, gap.FromOffset, gap.ToOffset, gap.Reason switch
        {
            GapReason.GapExpired => "expired",
            GapReason.GapLogReplaced => "log replaced",
            GapReason.GapCorrupt => "corrupt",
            _ => "unknown",
        });
    }

    private IEnumerable<Fetched> Batch(FetchedBatch batch, long highWatermark)
    {
        var end = batch.BaseOffset + batch.RecordCount;
        if (end <= _next)
            yield break; // all of it was taken before
        var log = _log ?? default;
        // Offsets are dense, so records that are passed over without a word are still a gap, never silence.
        if (batch.BaseOffset > _next)
            yield return new Fetched.Gap(log, _next, batch.BaseOffset, "unknown");
        var skip = (int)Math.Max(0, _next - batch.BaseOffset);
        _next = end;
        yield return new Fetched.Batch(
            log, batch.BaseOffset, batch.RecordCount, skip, DateTimeOffset.FromUnixTimeMilliseconds(batch.AppendTimeUnixMs), batch.Batch.Memory, highWatermark);
    }
}
