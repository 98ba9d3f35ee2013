using System.Globalization;
using System.Reflection;

namespace Telemetry.ServiceDefaults.Settings;

/// <summary>One setting of an options record: its names, default, range, and how its text becomes a value.</summary>
public sealed class SettingDescription
{
    private readonly SettingAttribute _attribute;
    private readonly PropertyInfo _property;
    private readonly object? _default;

    private SettingDescription(SettingAttribute attribute, PropertyInfo property, object? defaultValue)
    {
        _attribute = attribute;
        _property = property;
        _default = defaultValue;
    }

    /// <summary>The environment variable.</summary>
    public string Name => _attribute.Name;

    /// <summary>The flag, with its two dashes.</summary>
    public string Flag => "--" + Name.ToLowerInvariant().Replace('_', '-');

    /// <summary>What it does, in a sentence.</summary>
    public string Help => _attribute.Help;

    /// <summary>Whether a flag without a value means true.</summary>
    public bool IsSwitch => _property.PropertyType == typeof(bool);

    /// <summary>The default as a person would write it.</summary>
    public string DefaultText => _attribute.DefaultText ?? _default switch
    {
        null or "" => "none",
        TimeSpan duration => Durations.Format(duration),
        bool flag => flag ? "true" : "false",
        Enum word => Word(word),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString()!,
    };

    /// <summary>What is accepted, as the end of "… is not accepted: expected …".</summary>
    public string Expected
    {
        get
        {
            var type = _property.PropertyType;
            if (type == typeof(bool))
                return "true or false";
            if (type.IsEnum)
                return "one of " + string.Join(", ", Enum.GetValues(type).Cast<Enum>().Select(Word));
            if (type == typeof(TimeSpan))
            {
                var words = Words().Select(w => w.Word).ToList();
                var prefix = words.Count == 0 ? "" : string.Join(", ", words) + " or ";
                return prefix + "a duration such as 500ms, 5s or 24h" + Range();
            }
            if (type == typeof(int) || type == typeof(long))
                return "a whole number" + Range();
            return _attribute.AllowEmpty ? "a text, or nothing" : "a text that is not empty";
        }
    }

    /// <summary>The settings of an options record, in the order in which its properties stand, those of its base first.</summary>
    /// <param name="defaults">A new instance of the record, which holds the defaults.</param>
    public static IReadOnlyList<SettingDescription> Of(object defaults)
    {
        var own = defaults.GetType();
        return [.. own.GetProperties()
            .Select(p => (Property: p, Attribute: p.GetCustomAttribute<SettingAttribute>()))
            .Where(p => p.Attribute is not null)
            .OrderBy(p => p.Property.DeclaringType == own ? 0 : 1)
            .ThenBy(p => p.Property.MetadataToken)
            .Select(p => new SettingDescription(p.Attribute!, p.Property, p.Property.GetValue(defaults)))];
    }

    /// <summary>Whether a text is a value of it.</summary>
    public bool Accepts(string text) => TryRead(text, out _);

    /// <summary>Sets the property from its text.</summary>
    /// <exception cref="SettingException">The text cannot be read or is out of range.</exception>
    internal void Apply(object options, string text, string source)
    {
        if (!TryRead(text, out var value))
            throw new SettingException($"{source}: '{UserInput.Printable(text)}' is not accepted: expected {Expected}");
        _property.SetValue(options, value);
    }

    private bool TryRead(string text, out object? value)
    {
        var type = _property.PropertyType;
        value = null;
        if (type == typeof(string))
        {
            value = text;
            return (text.Length > 0 || _attribute.AllowEmpty) && !text.Contains('\0');
        }
        if (type == typeof(bool))
        {
            value = text.ToLowerInvariant() switch { "true" or "1" => true, "false" or "0" => false, _ => null };
            return value is not null;
        }
        if (type == typeof(TimeSpan))
            return TryReadDuration(text, out value);
        if (type.IsEnum)
        {
            value = Enum.GetValues(type).Cast<Enum>().FirstOrDefault(e => string.Equals(Word(e), text, StringComparison.OrdinalIgnoreCase));
            return value is not null;
        }
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return false;
        var (min, max) = type == typeof(int) ? (int.MinValue, int.MaxValue) : (long.MinValue, long.MaxValue);
        min = _attribute.Min is { } low ? long.Parse(low, CultureInfo.InvariantCulture) : min;
        max = _attribute.Max is { } high ? long.Parse(high, CultureInfo.InvariantCulture) : max;
        if (number < min || number > max)
            return false;
        value = type == typeof(int) ? (object)(int)number : number;
        return true;
    }

    private bool TryReadDuration(string text, out object? value)
    {
        value = null;
        foreach (var (word, duration) in Words())
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase))
            {
                value = duration;
                return true;
            }
        }
        if (!Durations.TryParse(text, out var read))
            return false;
        if (_attribute.Min is { } min && Durations.TryParse(min, out var low) && read < low)
            return false;
        if (_attribute.Max is { } max && Durations.TryParse(max, out var high) && read > high)
            return false;
        value = read;
        return true;
    }

    private IEnumerable<(string Word, TimeSpan Duration)> Words()
    {
        foreach (var pair in (_attribute.DurationWords ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=');
            if (Durations.TryParse(parts[1], out var duration))
                yield return (parts[0], duration);
        }
    }

    private string Range() => (_attribute.Min, _attribute.Max) switch
    {
        (null, null) => "",
        ({ } min, null) => $" of at least {min}",
        (null, { } max) => $" of at most {max}",
        ({ } min, { } max) => $" from {min} to {max}",
    };

    private static string Word(Enum value) => value.ToString().ToLowerInvariant();
}
