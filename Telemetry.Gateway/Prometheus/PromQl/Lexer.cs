using System.Globalization;
using System.Text;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>Cuts a query into tokens.</summary>
internal sealed class Lexer
{
    private static readonly string[] Symbols = ["==", "!=", "=~", "!~", ">=", "<=", "(", ")", "{", "}", "[", "]", ",", "=", "+", "-", "*", "/", "%", "^", ">", "<", "@", ":"];

    private readonly string _text;
    private readonly List<Token> _tokens = [];
    private int _at;

    private Lexer(string text) => _text = text;

    /// <summary>The tokens, with one for the end.</summary>
    /// <exception cref="PromQlException">Something is none.</exception>
    public static IReadOnlyList<Token> Read(string text)
    {
        var lexer = new Lexer(text);
        while (lexer.Next())
        {
        }
        lexer._tokens.Add(new Token(TokenKind.End, "", text.Length));
        return lexer._tokens;
    }

    private bool Next()
    {
        SkipBlanks();
        if (_at == _text.Length)
            return false;
        var start = _at;
        var c = _text[_at];
        if (char.IsAsciiLetter(c) || c is '_' or ':' && IsNamePart(_at + 1))
            Take(TokenKind.Name, EndOf(start, IsNamePart));
        else if (char.IsAsciiDigit(c) || (c == '.' && IsDigit(_at + 1)))
            NumberOrDuration();
        else if (c is '"' or '\'' or '`')
            Quoted(c);
        else if (Array.Find(Symbols, s => string.CompareOrdinal(_text, start, s, 0, s.Length) == 0) is { } symbol)
            Take(TokenKind.Symbol, start + symbol.Length);
        else
            throw Error(start, $"unexpected character: '{UserInput.Printable(c.ToString())}'");
        return true;
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length)
        {
            if (_text[_at] == '#')
                _at = _text.IndexOf('\n', _at) is >= 0 and var line ? line : _text.Length;
            else if (_text[_at] is ' ' or '\t' or '\r' or '\n')
                _at++;
            else
                return;
        }
    }

    private void NumberOrDuration()
    {
        var start = _at;
        if (_text[start] == '0' && start + 2 < _text.Length && _text[start + 1] is 'x' or 'X' && char.IsAsciiHexDigit(_text[start + 2]))
        {
            var hex = EndOf(start + 2, i => char.IsAsciiHexDigit(_text[i]));
            if (hex - start > 17)
                throw Error(start, "the number is too long");
            var value = ulong.Parse(_text.AsSpan(start + 2, hex - start - 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            _tokens.Add(new Token(TokenKind.Number, ((double)value).ToString("R", CultureInfo.InvariantCulture), start));
            _at = hex;
        }
        else
        {
            var digits = EndOf(start, IsDigit);
            if (digits > start && digits < _text.Length && _text[digits] is 'm' or 's' or 'h' or 'd' or 'w' or 'y')
            {
                Take(TokenKind.Duration, EndOf(digits, i => char.IsAsciiLetterOrDigit(_text[i])));
                return;
            }
            var end = digits < _text.Length && _text[digits] == '.' ? EndOf(digits + 1, IsDigit) : digits;
            if (end < _text.Length && _text[end] is 'e' or 'E')
            {
                var exponent = end + 1 < _text.Length && _text[end + 1] is '+' or '-' ? end + 2 : end + 1;
                if (IsDigit(exponent))
                    end = EndOf(exponent, IsDigit);
            }
            Take(TokenKind.Number, end);
        }
        if (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '_' or '.'))
            throw Error(start, $"bad number or duration syntax: \"{UserInput.Printable(_text[start..(_at + 1)])}\"");
    }

    private void Quoted(char quote)
    {
        var start = _at++;
        var text = new StringBuilder();
        while (true)
        {
            if (_at == _text.Length || (_text[_at] == '\n' && quote != '`'))
                throw Error(start, "unterminated quoted string");
            var c = _text[_at++];
            if (c == quote)
                break;
            if (c == '\\' && quote != '`')
                Escape(text, quote);
            else
                text.Append(c);
        }
        _tokens.Add(new Token(TokenKind.Text, text.ToString(), start));
    }

    private void Escape(StringBuilder text, char quote)
    {
        var start = _at - 1;
        var c = _at < _text.Length ? _text[_at++] : '\0';
        var plain = "abfnrtv\\".IndexOf(c, StringComparison.Ordinal);
        if (plain >= 0 && c != '\0')
            text.Append("\a\b\f\n\r\t\v\\"[plain]);
        else if (c == quote)
            text.Append(c);
        else if (c is 'x' or 'u' or 'U')
            text.Append(Rune(start, c == 'x' ? 2 : c == 'u' ? 4 : 8));
        else
            throw Error(start, "unknown escape sequence in a quoted string");
    }

    private string Rune(int start, int digits)
    {
        if (_at + digits > _text.Length
            || !int.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || !System.Text.Rune.IsValid(code))
        {
            throw Error(start, "an escape sequence in a quoted string is no character");
        }
        _at += digits;
        return new Rune(code).ToString();
    }

    private void Take(TokenKind kind, int end)
    {
        _tokens.Add(new Token(kind, _text[_at..end], _at));
        _at = end;
    }

    private int EndOf(int from, Func<int, bool> isPart)
    {
        while (from < _text.Length && isPart(from))
            from++;
        return from;
    }

    private bool IsDigit(int at) => at < _text.Length && char.IsAsciiDigit(_text[at]);

    private bool IsNamePart(int at) => at < _text.Length && (char.IsAsciiLetterOrDigit(_text[at]) || _text[at] is '_' or ':');

    private PromQlException Error(int position, string message) => PromQlException.Syntax(_text, position, message);
}
