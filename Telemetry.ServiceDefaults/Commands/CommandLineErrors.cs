using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Telemetry.ServiceDefaults.Commands;

/// <summary>What is wrong with a command line, in a line that names the argument and what is accepted.</summary>
public static class CommandLineErrors
{
    /// <summary>The first thing that is wrong; null for nothing.</summary>
    public static string? First(ParseResult line)
    {
        var command = line.CommandResult.Command;
        if (line.UnmatchedTokens.Count > 0)
            return $"'{line.UnmatchedTokens[0]}' is not accepted: {Path(line.CommandResult)} takes {Takes(line.CommandResult)}; --help says more";
        if (command.Subcommands.Count > 0)
            return $"{Path(line.CommandResult)}: a command is missing: expected {Takes(line.CommandResult)}";
        foreach (var argument in command.Arguments)
        {
            if (line.GetResult(argument) is not { Tokens.Count: > 0 })
                return $"{argument.Name}: is missing: expected {Expected(argument)}";
        }
        foreach (var option in Options(line))
        {
            if (option.Tokens.Count < option.Option.Arity.MinimumNumberOfValues && option.Option is IAccepting)
                return $"{option.Option.Name}: has no value: expected {Expected(option.Option)}";
            if (option.IdentifierTokenCount > 1 && option.Option.Arity.MaximumNumberOfValues <= 1)
                return $"{option.Option.Name}: given {option.IdentifierTokenCount} times; give it once";
        }
        if (command.Options.FirstOrDefault(option => option.Required && line.GetResult(option) is not { Implicit: false }) is { } missing)
            return $"{missing.Name}: is missing: expected {Expected(missing)}";
        return line.Errors.Count > 0 ? line.Errors[0].Message : null;
    }

    private static IEnumerable<OptionResult> Options(ParseResult line) =>
        CommandsFrom(line.CommandResult).SelectMany(command => command.Children.OfType<OptionResult>()).Where(option => !option.Implicit);

    /// <summary>The command and those that it stands under, whose options it has too.</summary>
    private static IEnumerable<CommandResult> CommandsFrom(CommandResult result)
    {
        for (var command = result; command is not null; command = command.Parent as CommandResult)
            yield return command;
    }

    private static string Takes(CommandResult result) => string.Join(", ", result.Command.Subcommands.Count > 0
        ? result.Command.Subcommands.Select(sub => sub.Name)
        : result.Command.Arguments.Select(argument => argument.Name).Concat(CommandsFrom(result).SelectMany(from => from.Command.Options).Where(option => option is not HelpOption).Select(option => option.Name)));

    private static string Path(CommandResult command) =>
        command.Parent is CommandResult { Parent: not null } parent ? $"{Path(parent)} {command.Command.Name}" : command.Command.Name;

    private static string Expected(Symbol symbol) => symbol is IAccepting accepting ? accepting.Expected : "a value";
}
