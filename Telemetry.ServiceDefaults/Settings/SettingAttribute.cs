namespace Telemetry.ServiceDefaults.Settings;

/// <summary>
/// Makes a property of an options record a setting: the environment variable <see cref="Name"/> and the flag of the same
/// name in kebab case (<c>BATCH_SIZE</c> is <c>--batch-size</c>). The property's initial value is the default.
/// Supported property types: <see cref="string"/>, <see cref="int"/>, <see cref="long"/>, <see cref="bool"/>,
/// <see cref="TimeSpan"/> and enums.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string name, string help) : Attribute
{
    /// <summary>The environment variable, in capitals with underscores.</summary>
    public string Name { get; } = name;

    /// <summary>One sentence for <c>--help</c>: what turning it does.</summary>
    public string Help { get; } = help;

    /// <summary>The smallest accepted value: a number, or a duration such as <c>100ms</c>.</summary>
    public string? Min { get; init; }

    /// <summary>The largest accepted value: a number, or a duration such as <c>24h</c>.</summary>
    public string? Max { get; init; }

    /// <summary>What <c>--help</c> shows as default where the property's own initial value says too little.</summary>
    public string? DefaultText { get; init; }

    /// <summary>Words of which each stands for a duration, as <c>always=0s</c> (comma-separated).</summary>
    public string? DurationWords { get; init; }

    /// <summary>Whether an empty value is accepted for a text.</summary>
    public bool AllowEmpty { get; init; }
}
