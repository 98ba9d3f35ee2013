using System.Globalization;
using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Http;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>What is in the store: whether records come, whether all of them do, and what never came.</summary>
internal static class RecordCheck
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static async Task<(StoreState State, IReadOnlyList<Diagnosis> Found)> RunAsync(TelemetryReader reader, FleetRules rules, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var state = await reader.StateAsync(cancellationToken);
        var found = new List<Diagnosis>();
        if (state.NewestRecord is { } newest)
        {
            found.Add(await FreshnessAsync(reader, rules, newest, now, cancellationToken));
            if (await CompletenessAsync(reader, rules, now, cancellationToken) is { } completeness)
                found.Add(completeness);
        }
        else
        {
            found.Add(Diagnosis.Warn("records", "the store has none", "start a streamer and a collector; /api/v1/pipeline shows how far they are"));
        }
        found.Add(state.Gaps.Count == 0
            ? Diagnosis.Ok("gaps", "none")
            : Diagnosis.Warn("gaps", $"{state.Gaps.Count}{(state.Gaps.Count == 100 ? " or more" : "")} of records that never came, the newest noted at {Time(state.Gaps[0].DetectedAt)} ({state.Gaps[0].Reason})",
                "look at them in /api/v1/pipeline; a longer MESSAGE_TTL, or more collectors, keep records from expiring unread"));
        var letters = state.DeadLetters.Sum(d => d.Records);
        found.Add(letters == 0
            ? Diagnosis.Ok("dead letters", "none")
            : Diagnosis.Warn("dead letters", $"{Number(letters)} records could not be stored: {string.Join(", ", state.DeadLetters.Select(d => $"{d.Reason} ({Number(d.Records)})"))}",
                "the table dead_letter of the store has them with the reason; they do not come again by themselves"));
        return (state, found);
    }

    private static async Task<Diagnosis> FreshnessAsync(TelemetryReader reader, FleetRules rules, DateTimeOffset newest, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var gpus = await reader.LatestAsync(null, null, cancellationToken);
        var lost = gpus.Count(g => now - g.Row.Timestamp > rules.LostAfter);
        var age = now - newest;
        var text = $"the newest is {(age < TimeSpan.Zero ? "not older than now" : Age(age) + " old")}; {Number(gpus.Count - lost)} of {Number(gpus.Count)} GPUs have reported in the last {Durations.Format(rules.LostAfter)}";
        return lost < gpus.Count
            ? Diagnosis.Ok("records", text)
            : Diagnosis.Warn("records", text, "see whether streamers and collectors run, and the lag below; records of a file with TIMESTAMP_MODE=source are as old as the file");
    }

    private static async Task<Diagnosis?> CompletenessAsync(TelemetryReader reader, FleetRules rules, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if ((await reader.SummaryAsync(TimeWindow.Last(Hour, now), cancellationToken)).Completeness is not { } share)
            return null;
        var text = string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.0} % of the records expected in the last hour have arrived");
        return share >= rules.IncompleteBelowShare
            ? Diagnosis.Ok("completeness", text)
            : Diagnosis.Warn("completeness", text, "/api/v1/stats/completeness shows which GPUs lose records, and when");
    }

    private static string Age(TimeSpan age) => age.TotalSeconds < 1 ? "less than a second" : Top.TopText.Age(age.TotalSeconds);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
