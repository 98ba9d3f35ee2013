using System.Globalization;
using System.Runtime.CompilerServices;
using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Http;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>What is in the store: whether records come, whether all of them do, what never came, and whether they are folded.</summary>
internal static class RecordCheck
{
    private const double LostShareMax = 0.05;
    private const int NamesMax = 5;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // What was lost before is known by now.
    private static readonly TimeSpan Recent = TimeSpan.FromHours(24);

    // Three times the longest FOLD_INTERVAL; which one the collectors have is not known here.
    private static readonly TimeSpan FoldedAfter = TimeSpan.FromMinutes(30);

    /// <exception cref="StoreException">The store cannot be read any more.</exception>
    public static async IAsyncEnumerable<Diagnosis> RunAsync(TelemetryReader reader, FleetRules rules, DateTimeOffset now, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var state = await reader.StateAsync(cancellationToken);
        if (state.NewestRecord is { } newest)
        {
            yield return Freshness(await reader.LatestAsync(null, null, cancellationToken), rules, newest, now);
            if (await CompletenessAsync(reader, rules, now, cancellationToken) is { } completeness)
                yield return completeness;
        }
        else
        {
            yield return Diagnosis.Warn("records", "the store has none", "start a streamer and a collector; /api/v1/pipeline shows how far they are");
        }
        yield return Gaps(state.Gaps, now);
        yield return DeadLetters(state.DeadLetters, now);
        if (state.Rows > 0)
            yield return History(state, now);
        if (state.NewestRecord is { } latest)
            yield return ClockCheck.OfRecords(latest, now);
    }

    private static Diagnosis Freshness(IReadOnlyList<LatestRow> gpus, FleetRules rules, DateTimeOffset newest, DateTimeOffset now)
    {
        // A record from the future does not say that its GPU reports now.
        bool IsLost(LatestRow gpu) => (now - gpu.Row.Timestamp).Duration() > rules.LostAfter;
        var hosts = gpus.GroupBy(g => g.Row.Gpu.HostId).Select(h => (Name: h.Key, Gpus: h.Count(), Lost: h.Count(IsLost))).Where(h => h.Lost > 0).ToList();
        var lost = hosts.Sum(h => h.Lost);
        var age = now - newest;
        var text = $"the newest is {(age < TimeSpan.Zero ? "not older than now" : Age(age) + " old")}; {Number(gpus.Count - lost)} of {Number(gpus.Count)} GPUs have reported in the last {Durations.Format(rules.LostAfter)}";
        if (lost == gpus.Count)
            return Diagnosis.Warn("records", text, "see whether streamers and collectors run, and the lag below; records of a file with TIMESTAMP_MODE=source are as old as the file");
        var silent = hosts.Where(h => h.Lost == h.Gpus).ToList();
        if (silent.Count == 0 && lost <= LostShareMax * gpus.Count)
            return Diagnosis.Ok("records", text);
        const string insights = "/api/v1/fleet/insights says since when each GPU is lost";
        return silent.Count > 0
            ? Diagnosis.Warn("records", $"{text}, and none of {Names(silent.Select(h => h.Name))}", $"see whether these hosts are up, and what exports and streams their records; {insights}")
            : Diagnosis.Warn("records", $"{text}; the others are of {Names(hosts.Select(h => h.Name))}", $"look for these GPUs on their hosts (nvidia-smi), and at what exports them; {insights}");
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

    private static Diagnosis Gaps(IReadOnlyList<GapRow> gaps, DateTimeOffset now)
    {
        if (gaps.Count == 0)
            return Diagnosis.Ok("gaps", "none");
        var text = $"{gaps.Count}{(gaps.Count == 100 ? " or more" : "")} of records that never came, the newest noted at {Time(gaps[0].DetectedAt)} ({gaps[0].Reason})";
        return OfNotes("gaps", text, gaps[0].DetectedAt, now, "look at them in /api/v1/pipeline; a longer MESSAGE_TTL, or more collectors, keep records from expiring unread");
    }

    private static Diagnosis DeadLetters(IReadOnlyList<DeadLetterCount> letters, DateTimeOffset now)
    {
        if (letters.Count == 0)
            return Diagnosis.Ok("dead letters", "none");
        var newest = letters.Max(d => d.Newest);
        var text = $"{Number(letters.Sum(d => d.Records))} records could not be stored: {string.Join(", ", letters.Select(d => $"{d.Reason} ({Number(d.Records)})"))}, the newest at {Time(newest)}";
        return OfNotes("dead letters", text, newest, now, "the table dead_letter of the store has them with the reason; they do not come again by themselves");
    }

    private static Diagnosis OfNotes(string check, string text, DateTimeOffset newest, DateTimeOffset now, string advice) => now - newest > Recent
        ? Diagnosis.Ok(check, $"{text}, none in the last {Durations.Format(Recent)}")
        : Diagnosis.Warn(check, text, advice);

    private static Diagnosis History(StoreState state, DateTimeOffset now)
    {
        var text = $"{Number(state.HistoryRows)} of {Number(state.Rows)} records are folded";
        return state.UnfoldedSince is { } since && now - since > FoldedAfter
            ? Diagnosis.Warn("history", $"{text}, and others wait since {Time(since)}", "the file grows and queries get slower: start a collector; where one runs, its log says why it folds none")
            : Diagnosis.Ok("history", text);
    }

    private static string Names(IEnumerable<string> hosts)
    {
        var names = hosts.ToList();
        var more = names.Count - NamesMax;
        return string.Join(", ", names.Take(NamesMax)) + (more > 0 ? $" and {Number(more)} more" : "");
    }

    private static string Age(TimeSpan age) => age.TotalSeconds < 1 ? "less than a second" : Top.TopText.Age(age.TotalSeconds);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
