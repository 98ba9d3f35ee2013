using System.CommandLine;
using System.CommandLine.Parsing;

namespace Telemetry.ServiceDefaults.Commands;

/// <summary>An option or argument that can say what it accepts.</summary>
public interface IAccepting
{
    /// <summary>What is accepted, as the end of "expected …".</summary>
    string Expected { get; }
}

/// <summary>An option with one value; a refusal names it, the value and what is accepted.</summary>
public sealed class ValueOption<T> : Option<T>, IAccepting
{
    /// <summary>Makes it.</summary>
    /// <param name="name">Its name, with dashes.</param>
    /// <param name="description">What it does, for --help.</param>
    /// <param name="accepted">What it accepts.</param>
    /// <param name="value">What a value is called, for --help.</param>
    /// <param name="aliases">Other names.</param>
    public ValueOption(string name, string description, Accepted<T> accepted, string value, params string[] aliases)
        : base(name, aliases)
    {
        Description = description;
        Expected = accepted.Expected;
        HelpName = value;
        Arity = ArgumentArity.ExactlyOne;
        CustomParser = result => ValueReading.One(result, name, accepted);
    }

    /// <inheritdoc/>
    public string Expected { get; }
}

/// <summary>An option with one value or several: <c>--partition 0 1 --partition 4</c>.</summary>
public sealed class ValuesOption<T> : Option<T[]>, IAccepting
{
    /// <summary>Makes it.</summary>
    /// <param name="name">Its name, with dashes.</param>
    /// <param name="description">What it does, for --help.</param>
    /// <param name="accepted">What it accepts.</param>
    /// <param name="value">What a value is called, for --help.</param>
    public ValuesOption(string name, string description, Accepted<T> accepted, string value)
        : base(name)
    {
        Description = description;
        Expected = accepted.Expected;
        HelpName = value;
        Arity = ArgumentArity.OneOrMore;
        AllowMultipleArgumentsPerToken = true;
        CustomParser = result => [.. result.Tokens.Select(token => ValueReading.Of(result, name, token.Value, accepted))];
    }

    /// <inheritdoc/>
    public string Expected { get; }
}

/// <summary>Reads values and notes those that are not accepted.</summary>
internal static class ValueReading
{
    public static T? One<T>(ArgumentResult result, string name, Accepted<T> accepted) =>
        result.Tokens.Count == 1 ? Of(result, name, result.Tokens[0].Value, accepted) : default;

    public static T Of<T>(ArgumentResult result, string name, string text, Accepted<T> accepted)
    {
        var (ok, value) = accepted.Read(text);
        if (!ok)
            result.AddError($"{name}: '{text}' is not accepted: expected {accepted.Expected}");
        return value;
    }
}
