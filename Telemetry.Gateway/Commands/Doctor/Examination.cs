using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Gateway.Queue;
using Telemetry.Messaging.Client;
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
        var (setup, unusable) = Read();
        if (setup is null)
        {
            yield return unusable!;
            yield break;
        }
        var options = setup.Options;
        using var store = new TelemetryReader(options.DatabasePath);
        yield return Diagnosis.Ok("settings", $"database {Path.GetFullPath(options.DatabasePath)}, port {options.Port}, queue {setup.Queue ?? "none"}, rules {(options.FleetRules.Length > 0 ? options.FleetRules : "the defaults")}");
        yield return await PortCheck.RunAsync(options, store.IsReady, Patience, cancellationToken);
        yield return DiskCheck.Run(options.DatabasePath, Folder.OfThisMachine);

        var quick = new List<Diagnosis>();
        var isReadable = true;
        await foreach (var found in UntilItFails(StoreCheck.Quick(options.DatabasePath).ToAsyncEnumerable(), Unreadable))
        {
            quick.Add(found);
            yield return found;
        }
        if (isReadable)
        {
            await foreach (var found in UntilItFails(RecordCheck.RunAsync(store, setup.Rules, DateTimeOffset.UtcNow, cancellationToken), Unread))
                yield return found;
        }
        await foreach (var found in QueueAsync(setup.Queue, isReadable ? store : null, cancellationToken))
            yield return found;
        if (!IsDeep)
            yield break;
        // Last, since it may take long.
        var deep = isReadable ? StoreCheck.Deep(options.DatabasePath, cancellationToken).Where(found => !quick.Contains(found)) : [StoreCheck.NotDeep()];
        await foreach (var found in UntilItFails(deep.ToAsyncEnumerable(), Unreadable))
            yield return found;

        Diagnosis Unreadable(StoreException error)
        {
            isReadable = false;
            return StoreCheck.Of(error, options.DatabasePath);
        }
    }

    private (Setup? Setup, Diagnosis? Unusable) Read()
    {
        try
        {
            return (Setup.Read(flags, environment), null);
        }
        catch (SettingException error)
        {
            return (null, Diagnosis.Fail("settings", error.Message, "correct it, and ask again: without settings nothing else can be looked at; --help of the gateway lists all of them"));
        }
    }

    /// <param name="address">Of the queue; null for none.</param>
    /// <param name="store">Null where it cannot be read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private static async IAsyncEnumerable<Diagnosis> QueueAsync(string? address, TelemetryReader? store, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (address is null)
        {
            yield return Diagnosis.Warn("queue", "MESSAGEQUEUE_ADDR is not set, so that /api/v1/pipeline shows no lag", "set it to the address of the broker, as localhost:9090, if the gateway should show it");
            yield break;
        }
        await using var reader = new QueueReader(new QueueConnection(address), Patience, NullLogger<QueueReader>.Instance);
        var queue = await reader.ReadAsync(cancellationToken);
        await foreach (var found in QueueCheck.RunAsync(address, queue.Section, Patience, cancellationToken))
            yield return found;
        if (store is null || !queue.Section.Reachable)
            yield break;
        await foreach (var found in UntilItFails(LagCheck.RunAsync(store, queue, cancellationToken), Unread))
            yield return found;
    }

    private static Diagnosis Unread(StoreException error) =>
        Diagnosis.Fail("records", error.Message, "doctor --deep, and the collector's verify, say what is wrong with the store");

    // A store that cannot be read ends the checks that read it, and no others.
    private static async IAsyncEnumerable<Diagnosis> UntilItFails(IAsyncEnumerable<Diagnosis> checks, Func<StoreException, Diagnosis> failed)
    {
        await using var results = checks.GetAsyncEnumerator();
        while (await NextAsync() is { } found)
            yield return found;

        async Task<Diagnosis?> NextAsync()
        {
            try
            {
                return await results.MoveNextAsync() ? results.Current : null;
            }
            catch (StoreException error)
            {
                return failed(error);
            }
        }
    }
}
