using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Http;

/// <summary>Checks names of metrics against those in the store.</summary>
internal static class MetricNames
{
    private const int SuggestionsMax = 3;

    /// <summary>Nothing for known names, and for any name while no metric is stored at all.</summary>
    /// <exception cref="ProblemException">A name is not known; the text has names near it.</exception>
    public static async Task CheckAsync(TelemetryReader store, string parameter, IReadOnlyList<string>? names, CancellationToken cancellationToken)
    {
        if (names is null)
            return;
        var known = await store.MetricsAsync(cancellationToken);
        if (known.Count == 0)
            return;
        foreach (var name in names)
        {
            if (!known.Contains(name, StringComparer.Ordinal))
                throw Problems.InvalidParameter(parameter, $"'{Problems.Printable(name)}' is no metric in the store; near it: {string.Join(", ", Near(name, known))}");
        }
    }

    /// <summary>The known names that look most like one: those that contain it or its words, then by distance of edits.</summary>
    internal static IEnumerable<string> Near(string name, IReadOnlyList<string> known)
    {
        var bounded = name.Length > 64 ? name[..64] : name;
        return known
            .Select(k => (Name: k, Alike: bounded.Length >= 3 && (k.Contains(bounded, StringComparison.OrdinalIgnoreCase) || bounded.Contains(k, StringComparison.OrdinalIgnoreCase))))
            .OrderByDescending(k => k.Alike)
            .ThenBy(k => Distance(bounded, k.Name.Length > 64 ? k.Name[..64] : k.Name))
            .ThenBy(k => k.Name, StringComparer.Ordinal)
            .Take(SuggestionsMax)
            .Select(k => k.Name);
    }

    // Levenshtein's distance.
    private static int Distance(string a, string b)
    {
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var current = new int[b.Length + 1];
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            previous = current;
        }
        return previous[b.Length];
    }
}
