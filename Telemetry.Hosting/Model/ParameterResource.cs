namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value from outside of the application model.</summary>
public class ParameterResource : Resource, IValueProvider
{
    private readonly Func<string?> _value;
    private readonly string _key;

    internal ParameterResource(string name, Func<string?> value, bool secret, string? key = null)
        : base(name)
    {
        _key = key ?? $"Parameters:{name}";
        _value = value;
        Secret = secret;
    }

    /// <summary>Whether the value must not be shown.</summary>
    public bool Secret { get; }

    /// <summary>The value.</summary>
    /// <exception cref="DistributedApplicationException">The parameter has no value.</exception>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<string?>(_value() ?? throw new DistributedApplicationException(
            $"parameter {Name} has no value: --{_key}=…, or the environment variable {_key.Replace(":", "__", StringComparison.Ordinal).Replace('-', '_')}"));
}
