namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value from outside of the application model.</summary>
public class ParameterResource : Resource, IValueProvider
{
    private readonly Func<string?> _value;

    internal ParameterResource(string name, Func<string?> value, bool secret, bool isPublishedWithItsValue = false)
        : base(name)
    {
        _value = value;
        Secret = secret;
        IsPublishedWithItsValue = isPublishedWithItsValue;
    }

    /// <summary>Whether the value must not be shown.</summary>
    public bool Secret { get; }

    /// <summary>Whether a chart has the value as its default.</summary>
    internal bool IsPublishedWithItsValue { get; }

    /// <summary>The value.</summary>
    /// <exception cref="DistributedApplicationException">The parameter has no value.</exception>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<string?>(_value() ?? throw new DistributedApplicationException(
            $"parameter {Name} has no value: --Parameters:{Name}=…, or the environment variable Parameters__{Name.Replace('-', '_')}"));
}
