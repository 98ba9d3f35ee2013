using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Telemetry.Benchmarks.Processes;

/// <summary>What the plain <c>sqlite3</c> shell needs for the same rows: <c>.import</c> of a CSV file, which is one transaction.</summary>
internal static class SqliteImport
{
    /// <summary>Imports a file into a new database, with the journal of old and with the write-ahead log, and tells it.</summary>
    /// <param name="csv">A CSV file whose first line names the columns: time, host, GPU and metrics.</param>
    /// <param name="rows">The rows in it.</param>
    /// <param name="folder">For the databases.</param>
    /// <param name="rate">The rows a second to compare with.</param>
    public static void Compare(string csv, long rows, string folder, double rate)
    {
        try
        {
            foreach (var journal in (string[])["delete", "wal"])
            {
                var database = Path.Combine(folder, $"import-{journal}.db");
                var watch = Stopwatch.StartNew();
                Run(database, $"PRAGMA journal_mode={journal}; PRAGMA synchronous=FULL;", CreateTable(csv), ".mode csv", $".import --skip 1 {csv} t");
                var theirs = rows / watch.Elapsed.TotalSeconds;
                var imported = Run(database, "SELECT count(*) FROM t;").Trim();
                if (imported != rows.ToString(CultureInfo.InvariantCulture))
                    throw new InvalidOperationException($"sqlite3 imported {imported} rows, not {rows}");
                var bytes = new FileInfo(database).Length / (double)rows;
                File.Delete(database);
                Lines.Note("sqlite3", $"{theirs,12:n0} rows/s   .import of the same rows, one transaction, journal_mode={journal}, {bytes:n0} B a row; here {rate / theirs:n2} times that");
            }
        }
        catch (Win32Exception)
        {
            Lines.Note("sqlite3", $"not installed: no comparison");
        }
    }

    private static string CreateTable(string csv)
    {
        var columns = File.ReadLines(csv).First().Split(',').Select((name, i) => $"\"{name}\" {(i < 3 ? "TEXT" : "REAL")}");
        return $"CREATE TABLE t({string.Join(", ", columns)});";
    }

    private static string Run(string database, params ReadOnlySpan<string> lines)
    {
        var start = new ProcessStartInfo("sqlite3") { RedirectStandardInput = true, RedirectStandardOutput = true, ArgumentList = { "-bail", database } };
        using var sqlite = Process.Start(start)!;
        foreach (var line in lines)
            sqlite.StandardInput.WriteLine(line);
        sqlite.StandardInput.Close();
        var output = sqlite.StandardOutput.ReadToEnd();
        sqlite.WaitForExit();
        return sqlite.ExitCode == 0 ? output : throw new InvalidOperationException($"sqlite3 ended with {sqlite.ExitCode}: {output}");
    }
}
