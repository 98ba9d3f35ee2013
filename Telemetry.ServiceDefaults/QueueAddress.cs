using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.ServiceDefaults;

/// <summary>
/// Where the queue is: the setting <c>MESSAGEQUEUE_ADDR</c>, or the reference to the broker that an Aspire host hands to
/// its services, or the default.
/// </summary>
public static class QueueAddress
{
    /// <summary>The setting's name.</summary>
    public const string Setting = "MESSAGEQUEUE_ADDR";

    /// <summary>The address when nothing says another.</summary>
    public const string Default = "localhost:9090";

    /// <summary>What an Aspire host sets for a reference to the broker's gRPC endpoint, the most specific first.</summary>
    private static readonly string[] References = ["BROKER_GRPC", "services__broker__grpc__0", "services__broker__http__0"];

    /// <summary>The address of the queue.</summary>
    /// <param name="setting">The value of <c>MESSAGEQUEUE_ADDR</c>; empty when it is not set.</param>
    /// <param name="environment">Looks up an environment variable; null or empty where it is not set.</param>
    /// <returns><c>host:port</c> or a URL; <see cref="Default"/> when neither the setting nor a reference is there.</returns>
    /// <exception cref="SettingException">It is neither <c>host:port</c> nor an http or https URL; the message names its variable.</exception>
    public static string Resolve(string setting, Func<string, string?> environment) =>
        TryResolve(setting, environment) ?? Default;

    /// <summary>The same, for services that can do without the queue: null when neither the setting nor a reference is there.</summary>
    /// <exception cref="SettingException">It is neither <c>host:port</c> nor an http or https URL; the message names its variable.</exception>
    public static string? TryResolve(string setting, Func<string, string?> environment)
    {
        if (setting.Length > 0)
            return Checked(Setting, setting);
        foreach (var name in References)
        {
            if (environment(name) is { Length: > 0 } value)
                return Checked(name, value);
        }
        return null;
    }

    private static string Checked(string name, string value)
    {
        var url = value.Contains("://", StringComparison.Ordinal) ? value : "http://" + value;
        var accepted = Uri.TryCreate(url, UriKind.Absolute, out var uri)
            && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            && uri.Host.Length > 0 && uri.Port > 0 && uri.AbsolutePath == "/" && uri.Query.Length == 0 && uri.UserInfo.Length == 0;
        // "localhost" alone would silently mean port 80.
        if (accepted && url != value && !HasPort(value))
            accepted = false;
        return accepted ? value
            : throw new SettingException($"{name}: '{UserInput.Printable(value)}' is not accepted: expected host:port, as localhost:9090, or a URL, as http://broker:9090");
    }

    private static bool HasPort(string value)
    {
        var colon = value.LastIndexOf(':');
        return colon > 0 && int.TryParse(value.AsSpan(colon + 1).TrimEnd('/'), System.Globalization.NumberStyles.None, null, out _);
    }
}
