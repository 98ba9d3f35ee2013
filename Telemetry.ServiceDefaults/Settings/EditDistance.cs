namespace Telemetry.ServiceDefaults.Settings;

/// <summary>How far apart two words are, to name the one that was meant.</summary>
public static class EditDistance
{
    /// <summary>How many characters have to be put in, taken out or replaced (Levenshtein). The time is the product of both lengths.</summary>
    public static int Of(string a, string b)
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
