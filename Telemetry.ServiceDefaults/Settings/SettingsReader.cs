using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Telemetry.ServiceDefaults.Settings;

/// <summary>
/// Reads an options record from the environment and the command line; a flag wins. Everything is validated here, before
/// a program touches a file or a port.
/// </summary>
public static class SettingsReader
{
    /// <summary>Reads the settings of <typeparamref name="TOptions"/>.</summary>
    /// <param name="args">The command line: <c>--batch-size 50</c>, <c>--batch-size=50</c>; a switch alone means true.</param>
    /// <param name="environment">Looks up an environment variable; null or empty where it is not set.</param>
    /// <exception cref="SettingException">A value cannot be read or is out of range, or a flag is unknown.</exception>
    public static TOptions Read<TOptions>(IReadOnlyList<string> args, Func<string, string?> environment)
        where TOptions : class, new()
    {
        var options = new TOptions();
        var settings = SettingDescription.Of(options);
        foreach (var setting in settings)
        {
            if (environment(setting.Name) is { Length: > 0 } text)
                setting.Apply(options, text, setting.Name);
        }
        ReadFlags(settings, args, options);
        return options;
    }

    /// <summary>The text of <c>--help</c>: usage, then every setting with its variable, default, range and meaning.</summary>
    public static string Help<TOptions>(string program, string summary)
        where TOptions : class, new()
    {
        var settings = SettingDescription.Of(new TOptions());
        var width = settings.Max(s => s.Flag.Length);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{program}: {summary}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Usage: {program} [--flag value]...").AppendLine();
        text.AppendLine("Each setting is a flag and an environment variable; a flag wins.").AppendLine();
        foreach (var setting in settings)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {setting.Flag.PadRight(width)}  {setting.Help}");
            text.AppendLine(CultureInfo.InvariantCulture, $"  {"".PadRight(width)}  {setting.Name}, default {setting.DefaultText}; {setting.Expected}");
        }
        text.AppendLine(CultureInfo.InvariantCulture, $"  {"--help".PadRight(width)}  Shows this text.");
        return text.ToString();
    }

    private static void ReadFlags(IReadOnlyList<SettingDescription> settings, IReadOnlyList<string> args, object options)
    {
        var command = new Command("program") { TreatUnmatchedTokensAsErrors = false };
        var flags = new List<(SettingDescription Setting, Option<string> Option)>();
        foreach (var setting in settings)
        {
            var flag = new Option<string>(setting.Flag)
            {
                Arity = setting.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
                AllowMultipleArgumentsPerToken = false,
            };
            command.Add(flag);
            flags.Add((setting, flag));
        }
        // No response files and no POSIX bundles: a value may begin with '@', and there are no one-letter flags.
        var result = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        if (result.UnmatchedTokens.Count > 0)
        {
            var token = result.UnmatchedTokens[0];
            var nearest = settings.MinBy(s => EditDistance.Of(s.Flag, token.Split('=')[0]))!.Flag;
            throw new SettingException($"{token}: unknown flag; did you mean {nearest}? --help lists all of them");
        }
        foreach (var (setting, flag) in flags)
        {
            if (result.GetResult(flag) is not { Implicit: false } given)
                continue;
            if (given.IdentifierTokenCount > 1)
                throw new SettingException($"{setting.Flag}: given {given.IdentifierTokenCount} times; give it once");
            if (given.Tokens.Count == 0 && !setting.IsSwitch)
                throw new SettingException($"{setting.Flag}: has no value: expected {setting.Expected}");
            setting.Apply(options, given.Tokens.Count == 0 ? "true" : given.Tokens[^1].Value, setting.Flag);
        }
    }
}
