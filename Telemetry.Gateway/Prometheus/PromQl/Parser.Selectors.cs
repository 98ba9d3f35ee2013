using System.Globalization;

namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>Selectors, their ranges and offsets, and what all reading has in common.</summary>
internal sealed partial class Parser
{
    private const string NameLabel = "__name__";

    // Names that are no metrics unless a selector's braces follow.
    private static readonly string[] Words = ["and", "or", "unless", "atan2", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"];

    /// <summary>Reads what follows the name, which may be none.</summary>
    private Selector ReadSelector(Token? name)
    {
        var matchers = new List<Matcher>();
        if (name is { } metric)
            matchers.Add(Matcher.Of(NameLabel, "=", metric.Text));
        var position = name?.Position ?? Token.Position;
        if (Token.Is("{"))
        {
            _at++;
            while (!Token.Is("}"))
            {
                matchers.Add(ReadMatcher());
                if (!Token.Is(","))
                    break;
                _at++;
            }
            Expect("}", "in label matching");
        }
        if (name is not null && matchers.Skip(1).Any(m => m.Label == NameLabel))
            throw Error(position, $"metric name must not be set twice: \"{name.Value.Text}\"");
        if (matchers.All(m => m.Matches("")))
            throw Error(position, "vector selector must contain at least one non-empty matcher");
        return new Selector(position, matchers);
    }

    private Matcher ReadMatcher()
    {
        var label = Token;
        if (label.Kind != TokenKind.Name || label.Text.Contains(':', StringComparison.Ordinal))
            throw Unexpected("in label matching, expected a label or \"}\"");
        _at++;
        var op = Token;
        if (!(op.Is("=") || op.Is("!=") || op.Is("=~") || op.Is("!~")))
            throw Unexpected("in label matching, expected one of =, !=, =~, !~");
        _at++;
        var value = Token;
        if (value.Kind != TokenKind.Text)
            throw Unexpected("in label matching, expected a quoted text");
        _at++;
        Count(label.Position);
        try
        {
            return Matcher.Of(label.Text, op.Text, value.Text);
        }
        catch (ArgumentException error)
        {
            throw Error(value.Position, $"the pattern {value.Shown} cannot be used: {error.Message}");
        }
    }

    /// <summary>Reads ranges, offsets and anchors.</summary>
    private Expression ReadPostfix(Expression expression)
    {
        while (true)
        {
            var token = Token;
            if (token.Is("["))
                expression = ReadRange(expression);
            else if (token.IsWord("offset"))
                expression = ReadOffset(expression);
            else if (token.Is("@"))
                expression = ReadAnchor(expression);
            else
                return expression;
        }
    }

    private Selector ReadRange(Expression of)
    {
        var bracket = Token;
        _at++;
        var range = ReadDuration("in a range");
        if (Token.Is(":") || (Token.Kind == TokenKind.Name && Token.Text[0] == ':')) // the lexer takes :5m for a name
            throw NotSupported(bracket.Position, "a subquery");
        Expect("]", "in a range");
        if (of is not Selector selector || IsInParentheses(of))
            throw Error(bracket.Position, "ranges only allowed for vector selectors");
        if (selector.RangeMs > 0)
            throw Error(bracket.Position, "a selector has at most one range");
        if (selector.OffsetMs != 0 || selector.Anchor != Anchor.None)
            throw Error(bracket.Position, "no offset or @ modifiers allowed before range");
        if (range == 0)
            throw Error(bracket.Position, "duration must be greater than 0");
        return selector with { RangeMs = range };
    }

    private Selector ReadOffset(Expression of)
    {
        var position = Token.Position;
        _at++;
        var isNegative = Token.Is("-");
        if (isNegative)
            _at++;
        var offset = ReadDuration("after offset");
        if (of is not Selector selector || IsInParentheses(of))
            throw Error(position, "offset modifier must be preceded by an instant vector selector or range vector selector");
        if (selector.OffsetMs != 0)
            throw Error(position, "offset may not be set multiple times");
        return selector with { OffsetMs = isNegative ? -offset : offset };
    }

    private Selector ReadAnchor(Expression of)
    {
        var position = Token.Position;
        _at++;
        if (of is not Selector selector || IsInParentheses(of))
            throw Error(position, "@ modifier must be preceded by an instant vector selector or range vector selector");
        if (selector.Anchor != Anchor.None)
            throw Error(position, "@ <timestamp> may not be set multiple times");
        if (Token.IsWord("start") || Token.IsWord("end"))
        {
            var anchor = Token.IsWord("start") ? Anchor.Start : Anchor.End;
            _at++;
            Expect("(", "after @");
            Expect(")", "after @");
            return selector with { Anchor = anchor };
        }
        var isNegative = Token.Is("-");
        if (isNegative || Token.Is("+"))
            _at++;
        if (Token.Kind != TokenKind.Number)
            throw Unexpected("after @, expected a time in seconds, start() or end()");
        var seconds = double.Parse(Token.Text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (seconds > PromTime.SecondsMax)
            throw Error(Token.Position, "timestamp out of bounds for @ modifier");
        _at++;
        return selector with { Anchor = Anchor.Time, AnchorMs = PromTime.Milliseconds(isNegative ? -seconds : seconds) };
    }

    // Its position was moved to the parenthesis.
    private bool IsInParentheses(Expression expression) => expression.Position < _text.Length && _text[expression.Position] == '(';

    private long ReadDuration(string where)
    {
        if (Token.Kind == TokenKind.Number && double.Parse(Token.Text, NumberStyles.Float, CultureInfo.InvariantCulture) is >= 0 and <= PromDuration.MillisecondsMax / 1000 and var seconds)
        {
            _at++;
            return (long)Math.Round(1000 * seconds);
        }
        if (Token.Kind != TokenKind.Duration || !PromDuration.TryParse(Token.Text, out var milliseconds))
            throw Unexpected($"{where}, expected a duration of up to 100y, such as 5m");
        _at++;
        return milliseconds;
    }

    private List<string> ReadLabels()
    {
        Expect("(", "in a list of labels");
        var labels = new List<string>();
        while (!Token.Is(")"))
        {
            if (Token.Kind != TokenKind.Name || Token.Text.Contains(':', StringComparison.Ordinal))
                throw Unexpected("in a list of labels, expected a label");
            Count(Token.Position);
            labels.Add(Token.Text);
            _at++;
            if (!Token.Is(","))
                break;
            _at++;
        }
        Expect(")", "in a list of labels");
        return labels;
    }

    private void Expect(string symbol, string where)
    {
        if (!Token.Is(symbol))
            throw Unexpected($"{where}, expected \"{symbol}\"");
        _at++;
    }

    /// <summary>Counts a part of the query; a query of very many would need as deep a stack.</summary>
    private void Count(int position)
    {
        if (++_parts > PartsMax)
            throw Error(position, $"the query has more than {PartsMax} parts");
    }

    private Level Deeper(int position)
    {
        if (++_depth > DepthMax)
            throw Error(position, $"the query is nested deeper than {DepthMax}");
        return new Level(this);
    }

    private PromQlException Unexpected(string where) => Error(Token.Position, $"unexpected {Token.Shown} {where}");

    private PromQlException Error(int position, string message) => PromQlException.Syntax(_text, position, message);

    private PromQlException NotSupported(int position, string construct) => PromQlException.NotSupported(_text, position, construct);

    private readonly struct Level(Parser parser) : IDisposable
    {
        public void Dispose() => parser._depth--;
    }
}
