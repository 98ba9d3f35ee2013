using System.Globalization;
using Telemetry.Storage.Files;
using Telemetry.Storage.Queries;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Verifying;

/// <summary>What was looked at, and what is wrong with it.</summary>
/// <param name="Subject">What it is, as <c>zone map</c>.</param>
/// <param name="Counts">How much was looked at, as <c>12 runs, 3,456 rows</c>.</param>
/// <param name="Findings">What is wrong, a line each; the first ones.</param>
/// <param name="FindingCount">How much is wrong.</param>
public sealed record CheckResult(string Subject, string Counts, IReadOnlyList<string> Findings, long FindingCount);

/// <summary>
/// Checks a store while collectors write it: that SQLite finds the file sound, and that what is kept of the same records in
/// several places agrees. Reads only, and in memory keeps a little for each series. What must agree is read in one
/// snapshot; the history hour by hour, so that the store is not kept in an old state for long.
/// </summary>
public static class Verification
{
    /// <summary>Runs the checks, one after the other as the results are taken.</summary>
    /// <exception cref="StoreException">The store cannot be read at all.</exception>
    public static IEnumerable<CheckResult> Run(string databasePath, CancellationToken cancellationToken)
    {
        using var database = ExistingStore.Open(databasePath);
        database.StopOn(cancellationToken);
        foreach (var check in (Func<Database, CheckResult>[])[File, PlainRows.Check, Offsets.Check, PackUse.Check, HourRecount.Check])
            yield return Result(database, check);
    }

    /// <summary>Whether an error says that something is wrong with the file, rather than that it cannot be read now.</summary>
    internal static bool IsFinding(StoreException error) => error.Fault is StoreFault.Damaged or StoreFault.Internal;

    private static CheckResult Result(Database database, Func<Database, CheckResult> check)
    {
        try
        {
            return check(database);
        }
        catch (StoreException error) when (IsFinding(error))
        {
            return new CheckResult("a check that could not go on", "read until then", [error.Message], 1);
        }
    }

    /// <summary>Runs work on the store as it is at one moment.</summary>
    internal static T InSnapshot<T>(Database database, Func<Snapshot, T> work)
    {
        database.Execute("BEGIN");
        try
        {
            using var snapshot = new Snapshot(database);
            return work(snapshot);
        }
        finally
        {
            database.Rollback();
        }
    }

    private static CheckResult File(Database database)
    {
        var findings = new Findings();
        using var check = database.Prepare("PRAGMA quick_check(100)");
        while (check.Step())
        {
            if (check.Text(0) != "ok")
                findings.Add(check.Text(0));
        }
        return findings.Of("file", $"{database.Scalar("PRAGMA page_count") ?? 0:N0} pages");
    }
}

/// <summary>What a check has found so far; a bounded part of it as text.</summary>
internal sealed class Findings
{
    private const int TextsMax = 20;

    private readonly List<string> _texts = [];
    private long _count;

    public void Add(FormattableString text) => Add(text.ToString(CultureInfo.InvariantCulture));

    public void Add(string text)
    {
        if (_count++ < TextsMax)
            _texts.Add(text);
    }

    /// <summary>Adds something wrong for each row of a query.</summary>
    public void AddRows(Database database, string sql, Func<Statement, string> text)
    {
        using var select = database.Prepare(sql);
        while (select.Step())
            Add(text(select));
    }

    public CheckResult Of(string subject, FormattableString counts) =>
        new(subject, counts.ToString(CultureInfo.InvariantCulture), _texts, _count);
}
