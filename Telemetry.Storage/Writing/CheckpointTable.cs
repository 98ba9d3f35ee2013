using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Writing;

/// <summary>How far each partition is, and who may move it: the compare-and-set that makes a record be written once.</summary>
internal sealed class CheckpointTable(Database database) : IDisposable
{
    private const long NoOffset = -1;
    private const int PayloadsMax = 16; // in a transaction; a flood of poison must not fill the disk

    private int _payloads;

    private readonly Statement _acquire = database.Prepare("""
        INSERT INTO checkpoint (topic, partition, topic_id, log_epoch, next_offset, owner_epoch, owner, updated_at) VALUES (?1, ?2, '', 0, -1, 1, ?3, ?4)
        ON CONFLICT (topic, partition) DO UPDATE SET owner_epoch = owner_epoch + 1, owner = excluded.owner, updated_at = excluded.updated_at
        RETURNING owner_epoch, topic_id, log_epoch, next_offset
        """);

    // The log is compared before the number: a number means nothing in another log.
    private readonly Statement _advance = database.Prepare("""
        UPDATE checkpoint SET topic_id = ?1, log_epoch = ?2, next_offset = ?3, updated_at = ?4
        WHERE topic = ?5 AND partition = ?6 AND owner_epoch = ?7 AND topic_id = ?8 AND log_epoch = ?9 AND next_offset = ?10
        """);

    private readonly Statement _deadLetter = database.Prepare("""
        INSERT INTO dead_letter (topic, partition, topic_id, log_epoch, offset, records, reason, detail, payload, payload_bytes, time)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        """);

    private readonly Statement _gap = database.Prepare("""
        INSERT INTO gap (topic, partition, topic_id, log_epoch, from_offset, to_offset, reason, detected_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """);

    /// <summary>First in a transaction.</summary>
    public void Begin() => _payloads = 0;

    /// <summary>Raises the owner epoch: earlier owners are fenced from here on.</summary>
    public PartitionLease Acquire(string topic, int partition, string owner, long now)
    {
        _acquire.Bind(1, topic).Bind(2, partition).Bind(3, owner).Bind(4, now);
        if (!_acquire.Step())
            throw new StoreException(StoreFault.Internal, $"{topic}/{partition}: no checkpoint was made");
        var topicId = _acquire.Text(1);
        LogPosition? position = topicId.Length == 0 ? null : new LogPosition(Guid.Parse(topicId), _acquire.Int(2), _acquire.Long(3));
        var lease = new PartitionLease(topic, partition, _acquire.Long(0), position);
        while (_acquire.Step())
        {
            // To its end, so that the statement has no hold on the transaction.
        }
        return lease;
    }

    /// <summary>Moves the checkpoint; false when the store stands elsewhere or has another owner.</summary>
    public bool TryAdvance(PartitionWrite part, long now)
    {
        _advance.Bind(1, Text(part.To.TopicId)).Bind(2, part.To.LogEpoch).Bind(3, part.To.NextOffset).Bind(4, now)
            .Bind(5, part.Topic).Bind(6, part.Partition).Bind(7, part.OwnerEpoch);
        if (part.From is { } from)
            _advance.Bind(8, Text(from.TopicId)).Bind(9, from.LogEpoch).Bind(10, from.NextOffset);
        else
            _advance.Bind(8, "").Bind(9, 0).Bind(10, NoOffset);
        _advance.Run();
        return database.Changes == 1;
    }

    public void Add(PartitionWrite part, DeadLetter letter, long now)
    {
        var payload = letter.Payload.Span[..Math.Min(letter.Payload.Length, DeadLetter.PayloadBytesMax)];
        _deadLetter.Bind(1, part.Topic).Bind(2, part.Partition).Bind(3, Text(letter.TopicId)).Bind(4, letter.LogEpoch)
            .Bind(5, letter.Offset).Bind(6, letter.Records).Bind(7, letter.Reason).Bind(8, letter.Detail)
            .Bind(10, letter.Payload.Length).Bind(11, now);
        if (letter.Payload.Length > 0 && _payloads++ < PayloadsMax)
            _deadLetter.Bind(9, payload);
        else
            _deadLetter.BindNull(9);
        _deadLetter.Run();
    }

    public void Add(PartitionWrite part, LogGap gap, long now) =>
        _gap.Bind(1, part.Topic).Bind(2, part.Partition).Bind(3, Text(gap.TopicId)).Bind(4, gap.LogEpoch)
            .Bind(5, gap.FromOffset).Bind(6, gap.ToOffset).Bind(7, gap.Reason).Bind(8, now).Run();

    private static string Text(Guid id) => id.ToString("D");

    public void Dispose()
    {
        _acquire.Dispose();
        _advance.Dispose();
        _deadLetter.Dispose();
        _gap.Dispose();
    }
}
