using Telemetry.Storage;
using Telemetry.Storage.Verifying;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>The database file: whether it is there, readable and sound.</summary>
internal static class StoreCheck
{
    private const string Name = "store";

    /// <summary>What can be said in a moment.</summary>
    /// <exception cref="StoreException">There is no store, or it cannot be read; <see cref="Of(StoreException, string)"/> says it.</exception>
    public static IEnumerable<Diagnosis> Quick(string databasePath) => QuickLook.Run(databasePath).Select(Of);

    /// <summary>All of it, as the results come.</summary>
    /// <exception cref="StoreException">It cannot be read any more.</exception>
    public static IEnumerable<Diagnosis> Deep(string databasePath, CancellationToken cancellationToken) =>
        Verification.Run(databasePath, cancellationToken).Select(Of);

    /// <summary>Why not all of it was read.</summary>
    public static Diagnosis NotDeep() =>
        Diagnosis.Warn(Name, "--deep was left out: there is no store that can be read", "see to what is said of the store above, and ask again");

    /// <summary>What keeps a store from being read.</summary>
    public static Diagnosis Of(StoreException error, string databasePath)
    {
        if (error.Fault == StoreFault.Missing)
        {
            var path = Path.GetFullPath(databasePath);
            return Diagnosis.Warn(Name, $"{path} {(File.Exists(path) ? "has no tables yet" : "is not there")}, so that all answers are empty",
                "start a collector with the same DATABASE_PATH, or correct it here");
        }
        return Diagnosis.Fail(Name, error.Message, error.Fault == StoreFault.Damaged
            ? "stop the collectors and put a backup in its place: they replay what the queue still holds"
            : "see to that, and ask again");
    }

    /// <summary>What a check of the store has found.</summary>
    public static Diagnosis Of(CheckResult check) => check.FindingCount == 0
        ? Diagnosis.Ok(Name, $"{check.Subject}: {check.Counts}")
        : Diagnosis.Fail(Name, $"{check.Subject}: {check.FindingCount} wrong, the first: {check.Findings[0]}", check.Subject switch
        {
            QuickLook.PlaceSubject => "stop the collectors, move the database to a disk of this machine, and set DATABASE_PATH of collectors and gateways to it",
            QuickLook.OffsetsSubject => "records may be missing or doubled from there on: the collector's verify shows all of it; restore a backup, and collectors replay what the queue still holds",
            _ => "restore a backup; the collector's verify shows all of it",
        });
}
