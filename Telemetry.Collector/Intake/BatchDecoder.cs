using System.Globalization;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.Records;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Collector.Intake;

/// <summary>
/// Turns an encoded batch into rows for the store, and what cannot be stored into dead letters: nothing that a producer
/// sends stops a partition. One per worker: not thread-safe.
/// </summary>
internal sealed class BatchDecoder
{
    /// <summary>The batch cannot be read.</summary>
    public const string Undecodable = "undecodable";

    /// <summary>The batch has another number of records than the queue counted, so its offsets are unknown.</summary>
    public const string RecordCount = "record_count";

    /// <summary>A value of the record is not a finite number.</summary>
    public const string NotFinite = "not_finite";

    private const int LabelsMax = 200_000;

    private readonly IdentityCache _identities = new();
    private readonly Dictionary<GpuIdentity, GpuLabels> _labels = new(ReferenceEqualityComparer.Instance);

    /// <param name="fetched">The batch.</param>
    /// <param name="skip">Records at its beginning that are to be left out.</param>
    public DecodedBatch Decode(Fetched.Batch fetched, int skip)
    {
        RecordBatch batch;
        try
        {
            batch = RecordBatch.Decode(fetched.Payload.Span, _identities);
        }
        catch (RecordBatchException error)
        {
            return Refused(fetched, skip, Undecodable, error.Message);
        }
        if (batch.Count != fetched.RecordCount)
        {
            return Refused(fetched, skip, RecordCount, string.Create(CultureInfo.InvariantCulture,
                $"the batch has {batch.Count} records and the queue counted {fetched.RecordCount}"));
        }
        return Rows(fetched, batch, skip);
    }

    private DecodedBatch Rows(Fetched.Batch fetched, RecordBatch batch, int skip)
    {
        var all = new RowBlock
        {
            Times = batch.Times,
            SeriesOf = batch.SeriesOf,
            Series = [.. batch.Series.Select(LabelsOf)],
            Metrics = batch.Metrics,
            Values = [.. Enumerable.Range(0, batch.Metrics.Count).Select(batch.Values)],
            Start = skip,
            Count = batch.Count - skip,
        };
        if (batch.Poisoned.Count == 0)
            return new DecodedBatch([all], all.Count, [], batch.Times.Span[^1], batch.Trace);

        var rows = new List<RowBlock>();
        var letters = new List<DeadLetter>();
        long? newest = null;
        var start = skip;
        foreach (var record in batch.Poisoned.Where(record => record >= skip).Append(batch.Count))
        {
            if (record > start)
            {
                rows.Add(all with { Start = start, Count = record - start });
                newest = batch.Times.Span[record - 1];
            }
            if (record < batch.Count)
            {
                // The payload is kept once, with the first.
                letters.Add(Letter(fetched, record, 1, NotFinite, Detail(batch, record), letters.Count == 0 ? fetched.Payload : default));
            }
            start = record + 1;
        }
        return new DecodedBatch(rows, rows.Sum(r => r.Count), letters, newest, batch.Trace);
    }

    private static string Detail(RecordBatch batch, int record)
    {
        var identity = batch.Series[batch.SeriesOf.Span[record]];
        return string.Create(CultureInfo.InvariantCulture, $"host {identity.HostId}, GPU {identity.GpuId}, time {batch.Times.Span[record]} ms: a value is not a finite number");
    }

    private static DecodedBatch Refused(Fetched.Batch fetched, int skip, string reason, string detail) =>
        new([], 0, [Letter(fetched, skip, fetched.RecordCount - skip, reason, detail, fetched.Payload)], null, default);

    private static DeadLetter Letter(Fetched.Batch fetched, int record, int records, string reason, string detail, ReadOnlyMemory<byte> payload) =>
        new(fetched.Log.TopicId, fetched.Log.LogEpoch, fetched.BaseOffset + record, records, reason, detail, payload);

    private GpuLabels LabelsOf(GpuIdentity identity)
    {
        if (_labels.TryGetValue(identity, out var labels))
            return labels;
        if (_labels.Count >= LabelsMax)
            _labels.Clear();
        labels = new GpuLabels(identity.HostId, identity.GpuId, identity.Uuid, identity.Model, identity.Device, identity.Pod, identity.Namespace, identity.Container);
        _labels.Add(identity, labels);
        return labels;
    }
}
