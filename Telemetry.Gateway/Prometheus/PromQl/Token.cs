using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>What a token is.</summary>
internal enum TokenKind
{
    /// <summary>The end of the text.</summary>
    End,

    /// <summary>A name or a word such as <c>by</c>; which one, the parser knows.</summary>
    Name,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A length of time, such as <c>5m</c>.</summary>
    Duration,

    /// <summary>A text in quotes; <see cref="Token.Text"/> is what it says.</summary>
    Text,

    /// <summary>An operator or a bracket.</summary>
    Symbol,
}

/// <summary>A token of a query.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text.</param>
/// <param name="Position">Where it begins.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Position)
{
    /// <summary>How an error text calls it.</summary>
    public string Shown => Kind == TokenKind.End ? "end of input" : $"\"{UserInput.Printable(Text)}\"";

    /// <summary>Whether it is this operator or bracket.</summary>
    public bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    /// <summary>Whether it is this word, in any case.</summary>
    public bool IsWord(string word) => Kind == TokenKind.Name && string.Equals(Text, word, StringComparison.OrdinalIgnoreCase);
}
