using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>Divides batches until each piece is within the broker's limits.</summary>
internal static class BatchSplitter
{
    /// <summary>The publish in as few halvings as make every piece fit; the batch itself when it fits.</summary>
    /// <exception cref="QueueException">A single record is over the limit, or the batch cannot be decoded.</exception>
    public static List<Piece> Fit(PendingPublish publish, ReadOnlyMemory<byte> batch, int bytesMax, int recordsMax)
    {
        var pieces = new List<Piece>(1);
        Add(pieces, new Piece(publish, batch, publish.RecordCount, isLast: true), bytesMax, recordsMax);
        return pieces;
    }

    /// <summary>Two pieces in the place of one that the broker found too large.</summary>
    /// <exception cref="QueueException">It is a single record, or cannot be decoded.</exception>
    public static (Piece First, Piece Second) Halve(Piece piece, string reason)
    {
        try
        {
            var (first, second) = RecordBatch.Split(piece.Batch.Span);
            if (first.Count + second.Count != piece.RecordCount)
                throw new RecordBatchException($"it has {first.Count + second.Count} records, its publisher said {piece.RecordCount}");
            return (
                new Piece(piece.Publish, first.Encoded, first.Count, isLast: false) { Sequence = piece.Sequence },
                new Piece(piece.Publish, second.Encoded, second.Count, piece.IsLast) { Sequence = piece.Sequence + first.Count });
        }
        catch (RecordBatchException error)
        {
            throw new QueueException(
                ErrorCode.BatchTooLarge, $"a batch of {piece.Batch.Length} bytes and {piece.RecordCount} records is too large ({reason}) and cannot be split: {error.Message}", error);
        }
    }

    private static void Add(List<Piece> pieces, Piece piece, int bytesMax, int recordsMax)
    {
        if (piece.Batch.Length <= bytesMax && piece.RecordCount <= recordsMax)
        {
            pieces.Add(piece);
            return;
        }
        var (first, second) = Halve(piece, $"at most {bytesMax} bytes and {recordsMax} records are accepted");
        Add(pieces, first, bytesMax, recordsMax);
        Add(pieces, second, bytesMax, recordsMax);
    }
}
