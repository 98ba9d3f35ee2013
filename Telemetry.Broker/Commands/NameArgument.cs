using System.CommandLine;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Broker.Commands;

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
