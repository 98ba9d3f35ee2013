using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Http;

/// <summary>Checks names of metrics against those in the store.</summary>
internal static class MetricNames
{
    private const int NearMax = 3;
    private const int KnownMax = 20;

    /// <summary>Nothing for known names, and for any name while no metric is stored at all.</summary>
    /// <exception cref="ProblemException">A name is not known; the text has names that may be meant.</exception>
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
                throw Problems.InvalidParameter(parameter, $"'{UserInput.Printable(name)}' is no metric in the store; {Suggest(name, known)}");
        }
    }

    /// <summary>The end of the refusal: the names that were probably meant, or else what there is.</summary>
    internal static string Suggest(string name, IReadOnlyList<string> known)
    {
        var bounded = Bounded(name);
        var near = known
            .Select(k => (Name: k, Contained: bounded.Length >= 3 && (k.Contains(bounded, StringComparison.OrdinalIgnoreCase) || bounded.Contains(k, StringComparison.OrdinalIgnoreCase)), Distance: EditDistance.Of(bounded, Bounded(k))))
            .Where(k => k.Contained || k.Distance <= bounded.Length / 2)
            .OrderByDescending(k => k.Contained).ThenBy(k => k.Distance).ThenBy(k => k.Name, StringComparer.Ordinal)
            .Take(NearMax)
            .Select(k => k.Name)
            .ToList();
        return near.Count > 0
            ? "near it: " + string.Join(", ", near)
            : "known: " + string.Join(", ", known.Take(KnownMax)) + (known.Count > KnownMax ? ", …" : "");
    }

    // A distance costs the product of the lengths.
    private static string Bounded(string name) => name.Length > 64 ? name[..64] : name;
}
