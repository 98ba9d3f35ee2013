namespace Telemetry.Messaging.Client;

/// <summary>The address of a queue as settings write it.</summary>
internal static class QueueAddress
{
    /// <summary>Reads <c>host:port</c>, <c>http://host[:port]</c> or <c>https://host[:port]</c>.</summary>
    /// <exception cref="FormatException">It is none of these; the message says what is accepted.</exception>
    public static Uri Parse(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var text = address.Trim();
        var hasScheme = text.Contains("://", StringComparison.Ordinal);
        if (!Uri.TryCreate(hasScheme ? text : "http://" + text, UriKind.Absolute, out var uri)
            || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            || uri.Host.Length == 0 || uri.PathAndQuery != "/" || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0
            || uri.Port is < 1 or > 65_535
            || (!hasScheme && !HasPort(text)))
        {
            throw new FormatException($"'{address}' is not the address of a queue: expected host:port, http://host:port or https://host:port");
        }
        return uri;
    }

    private static bool HasPort(string text)
    {
        var colon = text.LastIndexOf(':');
        // An IPv6 address has colons of its own, and stands in brackets.
        return colon > text.LastIndexOf(']') && text.AsSpan(colon + 1).TrimEnd('/') is { Length: > 0 };
    }
}
