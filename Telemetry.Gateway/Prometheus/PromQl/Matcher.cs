using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>What a label must be. A label that a series does not have is empty.</summary>
internal sealed class Matcher
{
    /// <summary>The longest pattern; alternatives of plain texts, as a dashboard's variables make them, have no such limit.</summary>
    public const int PatternLengthMax = 4_096;

    private static readonly TimeSpan MatchingMax = TimeSpan.FromSeconds(1);

    // What a plain text in a pattern may have, with a backslash before what would mean something else.
    private static readonly Regex Alternatives = new(@"\A\(?(?:[\w :/=,-]|\\[.\-/+()|\\])+(?:\|(?:[\w :/=,-]|\\[.\-/+()|\\])+)*\)?\z", RegexOptions.NonBacktracking);

    private readonly Func<string, bool> _matches;
    private readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);

    private Matcher(string label, string op, string value, Func<string, bool> matches) => (Label, Operator, Value, _matches) = (label, op, value, matches);

    /// <summary>The label's name.</summary>
    public string Label { get; }

    /// <summary><c>=</c>, <c>!=</c>, <c>=~</c> or <c>!~</c>.</summary>
    public string Operator { get; }

    /// <summary>The text or pattern.</summary>
    public string Value { get; }

    /// <summary>Makes one.</summary>
    /// <exception cref="ArgumentException">The pattern cannot be read, or is none that is matched in linear time.</exception>
    public static Matcher Of(string label, string op, string value) => new(label, op, value, op switch
    {
        "=" => text => text == value,
        "!=" => text => text != value,
        "=~" => Pattern(value),
        _ => Pattern(value) is var matches ? text => !matches(text) : throw new InvalidOperationException(),
    });

    /// <summary>Whether a value fits.</summary>
    /// <exception cref="PromQlException">The pattern takes too long.</exception>
    public bool Matches(string value)
    {
        if (Operator is "=" or "!=")
            return _matches(value);
        if (_known.TryGetValue(value, out var matches))
            return matches;
        try
        {
            return _known[value] = _matches(value);
        }
        catch (RegexMatchTimeoutException)
        {
            throw PromQlException.Impossible($"the pattern \"{UserInput.Printable(Value)}\" takes too long");
        }
    }

    /// <summary>Patterns hold for the whole text.</summary>
    private static Func<string, bool> Pattern(string pattern)
    {
        if (Alternatives.IsMatch(pattern) && pattern.StartsWith('(') == pattern.EndsWith(')') && !pattern.EndsWith(@"\)", StringComparison.Ordinal))
        {
            var texts = Split(pattern.StartsWith('(') ? pattern[1..^1] : pattern);
            return texts.Contains;
        }
        if (pattern.Length > PatternLengthMax)
            throw new ArgumentException($"it has {pattern.Length} characters, at most {PatternLengthMax} are possible");
        try
        {
            const RegexOptions options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline;
            var own = Translated(pattern);
            // Alone first: a parenthesis too many would close the one that holds the whole text.
            _ = new Regex(own, options);
            return new Regex($@"\A(?:{own})\z", options, MatchingMax).IsMatch;
        }
        catch (NotSupportedException error)
        {
            throw new ArgumentException(error.Message, error);
        }
    }

    // RE2 writes named groups so; what it alone has is refused, because .NET would read something else.
    private static string Translated(string pattern)
    {
        if (pattern.Contains("[[:", StringComparison.Ordinal) || pattern.Contains("[^[:", StringComparison.Ordinal))
            throw new ArgumentException("classes such as [[:digit:]] are not supported here, ranges such as [0-9] are");
        if (pattern.Contains(@"\Q", StringComparison.Ordinal))
            throw new ArgumentException(@"\Q…\E is not supported here: put a backslash before each character that means something else");
        return pattern.Replace("(?P<", "(?<", StringComparison.Ordinal);
    }

    private static HashSet<string> Split(string pattern)
    {
        var texts = new HashSet<string>(StringComparer.Ordinal);
        var text = new System.Text.StringBuilder();
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '|')
            {
                texts.Add(text.ToString());
                text.Clear();
                continue;
            }
            if (pattern[i] == '\\')
                i++;
            text.Append(pattern[i]);
        }
        texts.Add(text.ToString());
        return texts;
    }
}
