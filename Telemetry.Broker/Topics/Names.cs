namespace Telemetry.Broker.Topics;

/// <summary>Which names are accepted. They stand in logs, metrics and, later, on disk.</summary>
internal static class Names
{
    /// <summary>The most characters of a topic or group.</summary>
    public const int NameMax = 249;

    /// <summary>The most characters of a producer or member id, and of a client's description of itself.</summary>
    public const int IdMax = 512;

    /// <summary>Checks a topic's name: letters, digits, '.', '_', '-' and '/'; not '.' or '..'.</summary>
    /// <exception cref="BrokerException">It is empty, too long or has another character.</exception>
    public static string Topic(string name) => Check("topic", name, NameMax, colon: false);

    /// <summary>Checks a group's name: as a topic's, and ':'.</summary>
    /// <exception cref="BrokerException">It is empty, too long or has another character.</exception>
    public static string Group(string name) => Check("group", name, NameMax, colon: true);

    /// <summary>Checks a producer id: as a group's name, but longer.</summary>
    /// <exception cref="BrokerException">It is empty, too long or has another character.</exception>
    public static string Producer(string id) => Check("producer_id", id, IdMax, colon: true);

    /// <summary>Checks a member id: as a group's name, but longer.</summary>
    /// <exception cref="BrokerException">It is empty, too long or has another character.</exception>
    public static string Member(string id) => Check("member_id", id, IdMax, colon: true);

    /// <summary>Checks what a client says about itself: any printable text.</summary>
    /// <exception cref="BrokerException">It is too long or has control characters.</exception>
    public static string Client(string text)
    {
        if (text.Length > IdMax)
            throw BrokerException.Invalid($"client: has {text.Length} characters; at most {IdMax} are accepted");
        return text.Any(char.IsControl) ? throw BrokerException.Invalid("client: has a control character") : text;
    }

    private static string Check(string field, string name, int lengthMax, bool colon)
    {
        if (name.Length == 0)
            throw BrokerException.Invalid($"{field}: is empty");
        if (name.Length > lengthMax)
            throw BrokerException.Invalid($"{field}: has {name.Length} characters; at most {lengthMax} are accepted");
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-' or '/') && !(colon && c == ':'))
                throw BrokerException.Invalid($"{field}: has {Printable(c)}; accepted are letters, digits, '.', '_', '-'{(colon ? ", ':'" : "")} and '/'");
        }
        if (name is "." or "..")
            throw BrokerException.Invalid($"{field}: '{name}' is not accepted as a name");
        return name;
    }

    private static string Printable(char c) => char.IsControl(c) || char.IsSurrogate(c) ? $"the character U+{(int)c:X4}" : $"the character '{c}'";
}
