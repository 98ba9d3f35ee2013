using System.CommandLine;
using System.CommandLine.Parsing;

namespace Telemetry.Broker.Commands;

/// <summary>An option or argument that can say what it accepts.</summary>
internal interface IAccepting
{
    /// <summary>What is accepted, as the end of "expected …".</summary>
    string Expected { get; }
}

/// <summary>An option with one value; a refusal names it, the value and what is accepted.</summary>
internal sealed class ValueOption<T> : Option<T>, IAccepting
{
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
internal sealed class ValuesOption<T> : Option<T[]>, IAccepting
{
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

/// <summary>What a command is about, a name; one that no broker can have is refused here.</summary>
internal sealed class NameArgument : Argument<string>, IAccepting
{
    public NameArgument(string name, string description, Func<string, string> check)
        : base(name)
    {
        Description = description;
        Expected = description.TrimEnd('.').ToLowerInvariant();
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            try
            {
                return check(text);
            }
            catch (BrokerException error)
            {
                result.AddError($"{name}: '{text}' is not accepted: {error.Message}");
                return text;
            }
        };
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
