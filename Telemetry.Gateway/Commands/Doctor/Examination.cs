using System.Runtime.CompilerServices;
using Telemetry.Gateway.Fleet;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>The checks, one after the other. One that finds something wrong does not keep the others from looking.</summary>
/// <param name="flags">Flags of the gateway.</param>
/// <param name="environment">Looks up an environment variable.</param>
internal sealed class Examination(IReadOnlyList<string> flags, Func<string, string?> environment)
{
    // Who asks can wait longer than a page of the API.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Whether all of the store is read.</summary>
    public bool IsDeep { get; init; }

    /// <summary>Runs them.</summary>
    public async IAsyncEnumerable<Diagnosis> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        GatewayOptions options;
        FleetRules rules;
        string? queue;
        Diagnosis? unusable = null;
        try
        {
            options = SettingsReader.Read<GatewayOptions>(flags, environment);
            rules = FleetRules.Load(options.FleetRules);
            queue = QueueAddress.TryResolve(options.MessageQueueAddress, environment);
        }
        catch (SettingException error)
        {
            unusable = Diagnosis.Fail("settings", error.Message, "correct it, and ask again: without settings nothing else can be looked at; --help of the gateway lists all of them");
            (options, rules, queue) = (new GatewayOptions(), FleetRules.Default, null);
        }
        if (unusable is not null)
        {
            yield return unusable;
            yield break;
        }
        yield return Diagnosis.Ok("settings", $"database {Path.GetFullPath(options.DatabasePath)}, port {options.Port}, queue {queue ?? "none"}, rules {(options.FleetRules.Length > 0 ? options.FleetRules : "the defaults")}");
        yield return await PortCheck.RunAsync(options, Patience, cancellationToken);
        yield return DiskCheck.Run(options.DatabasePath, DiskCheck.SpaceOf);
        await foreach (var found in QueueAndStoreAsync(options, rules, queue, cancellationToken))
            yield return found;
    }

    private async IAsyncEnumerable<Diagnosis> QueueAndStoreAsync(
        GatewayOptions options, FleetRules rules, string? queue, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var isReadable = true;
        foreach (var found in StoreCheck.Run(options.DatabasePath, IsDeep, cancellationToken))
        {
            isReadable &= found.Outcome == Outcome.Ok;
            yield return found;
        }
        StoreState? state = null;
        if (isReadable)
        {
            var records = await RecordsAsync(options.DatabasePath, rules, cancellationToken);
            state = records.State;
            foreach (var found in records.Found)
                yield return found;
        }
        if (state?.NewestRecord is { } newest)
            yield return ClockCheck.OfRecords(newest, DateTimeOffset.UtcNow);
        if (queue is null)
        {
            yield return Diagnosis.Warn("queue", "MESSAGEQUEUE_ADDR is not set, so that /api/v1/pipeline shows no lag", "set it to the address of the broker, as localhost:9090, if the gateway should show it");
            yield break;
        }
        await foreach (var found in QueueCheck.RunAsync(queue, Patience, cancellationToken))
            yield return found;
    }

    private static async Task<(StoreState? State, IReadOnlyList<Diagnosis> Found)> RecordsAsync(string databasePath, FleetRules rules, CancellationToken cancellationToken)
    {
        using var reader = new TelemetryReader(databasePath);
        try
        {
            return await RecordCheck.RunAsync(reader, rules, DateTimeOffset.UtcNow, cancellationToken);
        }
        catch (StoreException error)
        {
            return (null, [Diagnosis.Fail("records", error.Message, "doctor --deep, and the collector's verify, say what is wrong with the store")]);
        }
    }
}
