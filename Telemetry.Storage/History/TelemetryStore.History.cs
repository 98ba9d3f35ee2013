using Telemetry.Storage.History;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage;

/// <summary>What a step of the folding did.</summary>
/// <param name="Rows">Rows folded.</param>
/// <param name="HasMore">Whether very many rows still wait.</param>
public readonly record struct FoldStep(long Rows, bool HasMore);

/// <summary>What a step of the merging did.</summary>
/// <param name="Chunks">Chunks that became fewer.</param>
/// <param name="HasMore">Whether there may be more to merge.</param>
public readonly record struct MergeStep(long Chunks, bool HasMore);

public sealed partial class TelemetryStore
{
    private readonly Lock _historyLock = new();
    private readonly FoldedRows _folded = new();
    private Database? _history; // reads while the writer goes on

    /// <summary>
    /// Compresses some of the plain rows into the history and adds them to the roll-ups. Most of the work is done while
    /// others write; the rows change from plain to compressed in one short transaction.
    /// </summary>
    /// <param name="delay">Only if rows were folded longer ago than this, or very many wait; zero folds whatever is there.</param>
    /// <exception cref="StoreException">Nothing was folded.</exception>
    public FoldStep Fold(TimeSpan delay) => Fold(delay, int.MaxValue);

    internal FoldStep Fold(TimeSpan delay, int rowsMax)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        if (ReadHistory(database => Folding.Prepare(database, _folded, delay, rowsMax, now)) is not { } folding)
            return default;
        var isApplied = InTransaction(_ => folding.TryApply(_database), keep: applied => applied);
        return isApplied ? new FoldStep(folding.Rows, folding.HasMore) : new FoldStep(0, true);
    }

    /// <summary>
    /// Makes one chunk of the parts that foldings have left of some series of an hour that is over, and writes their minutes.
    /// Call it until there is no more.
    /// </summary>
    /// <param name="quiet">Only hours to which nothing was added for so long.</param>
    /// <exception cref="StoreException">Nothing was merged.</exception>
    public MergeStep Merge(TimeSpan quiet)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        long? hour = null;
        var merging = ReadHistory(database =>
        {
            hour = Merging.Next(database, quiet, now);
            return hour is { } next ? Merging.Prepare(database, next) : null;
        });
        if (hour is not { } open)
            return default;
        var isApplied = InTransaction(_ =>
        {
            if (merging is not null)
                return merging.TryApply(_database);
            Merging.Close(_database, open);
            return true;
        }, keep: applied => applied);
        return new MergeStep(isApplied ? merging?.Chunks ?? 0 : 0, true);
    }

    private T ReadHistory<T>(Func<Database, T> work)
    {
        lock (_historyLock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _history ??= Database.Open(Path, readOnly: true, _busyTimeout);
            _history.Execute("BEGIN");
            try
            {
                return work(_history);
            }
            finally
            {
                _history.Rollback();
            }
        }
    }
}
