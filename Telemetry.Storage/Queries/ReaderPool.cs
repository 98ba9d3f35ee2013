using System.Collections.Concurrent;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Queries;

/// <summary>Read-only connections, kept open between queries. The file may appear, disappear and be replaced at any time.</summary>
internal sealed class ReaderPool(string path) : IDisposable
{
    private static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentBag<Database> _idle = [];
    private volatile bool _disposed;

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Runs a query in a transaction, so that all it reads is of one moment.</summary>
    /// <returns>The query's result, or <paramref name="empty"/> where there is no store of a known schema.</returns>
    /// <exception cref="StoreException">The file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The query was cancelled.</exception>
    public T Run<T>(T empty, Func<Snapshot, T> query, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Rent() is not { } database)
            return empty;
        var isSound = false;
        try
        {
            database.StopOn(cancellationToken);
            database.Execute("BEGIN");
            var result = HasKnownSchema(database) ? Query(database, query) : empty;
            database.Execute("COMMIT");
            database.StopOn(default);
            isSound = true;
            return result;
        }
        finally
        {
            // After a failure or a cancellation the connection is closed, which ends whatever was under way.
            if (isSound && !_disposed)
                _idle.Add(database);
            else
                database.Dispose();
        }
    }

    private Database? Rent()
    {
        var exists = File.Exists(path);
        while (_idle.TryTake(out var idle))
        {
            if (exists && !idle.HasMoved)
                return idle;
            idle.Dispose();
        }
        return exists ? Database.Open(path, readOnly: true, BusyTimeout) : null;
    }

    private static bool HasKnownSchema(Database database) =>
        database.Scalar("PRAGMA application_id") == StoreSchema.ApplicationId
        && database.Scalar("PRAGMA user_version") == StoreSchema.Version; // an older one is raised by the first collector that opens it

    private static T Query<T>(Database database, Func<Snapshot, T> query)
    {
        using var snapshot = new Snapshot(database);
        return query(snapshot);
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryTake(out var idle))
            idle.Dispose();
    }
}
