using Telemetry.Storage;
using Telemetry.Storage.Verifying;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>The database file: whether it is there, readable and sound.</summary>
internal static class StoreCheck
{
    private const string Name = "store";

    /// <param name="databasePath">The file.</param>
    /// <param name="isDeep">Whether all of it is read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static IEnumerable<Diagnosis> Run(string databasePath, bool isDeep, CancellationToken cancellationToken)
    {
        if (!File.Exists(databasePath))
        {
            return
            [
                Diagnosis.Warn(Name, $"{Path.GetFullPath(databasePath)} is not there, so that all answers are empty",
                    "start a collector with the same DATABASE_PATH, or correct it here"),
            ];
        }
        var found = Results(() => QuickLook.Run(databasePath));
        return isDeep && found.All(f => f.Outcome == Outcome.Ok)
            ? found.Concat(Results(() => Verification.Run(databasePath, cancellationToken))).DistinctBy(f => f.Text)
            : found;
    }

    private static List<Diagnosis> Results(Func<IEnumerable<CheckResult>> run)
    {
        var found = new List<Diagnosis>();
        try
        {
            foreach (var check in run())
                found.Add(Of(check));
        }
        catch (StoreException error)
        {
            found.Add(Diagnosis.Fail(Name, error.Message, error.Fault == StoreFault.Damaged
                ? "stop the collectors and put a backup in its place: they replay what the queue still holds"
                : "see to that, and ask again"));
        }
        return found;
    }

    private static Diagnosis Of(CheckResult check) => check.FindingCount == 0
        ? Diagnosis.Ok(Name, $"{check.Subject}: {check.Counts}")
        : Diagnosis.Fail(Name, $"{check.Subject}: {check.FindingCount} wrong, the first: {check.Findings[0]}",
            "restore a backup; the collector's verify shows all of it");
}
