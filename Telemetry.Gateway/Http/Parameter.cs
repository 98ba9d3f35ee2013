using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Http;

/// <summary>
/// A parameter of a route: how its text is read, what an error says, and what the OpenAPI document says of it. Routes list
/// theirs in a table, so that what is documented is what is accepted.
/// </summary>
public abstract class Parameter(string name, string description)
{
    /// <summary>Its name in the query or the path.</summary>
    public string Name { get; } = name;

    /// <summary>One or two sentences.</summary>
    public string Description { get; } = description;

    /// <summary>Whether a request without it is refused.</summary>
    public bool Required { get; init; }

    /// <summary>Whether it is a part of the path; otherwise it is in the query.</summary>
    public bool InPath { get; init; }

    /// <summary>A value for the documentation.</summary>
    public required JsonNode Example { get; init; }

    /// <summary>What is accepted, as the end of "… is not accepted: expected …".</summary>
    public abstract string Expected { get; }

    /// <summary>Type, bounds and default for the OpenAPI document.</summary>
    internal abstract OpenApiSchema Schema();

    /// <summary>The value of a text, boxed.</summary>
    /// <exception cref="ProblemException">It is not one.</exception>
    internal abstract object Read(string text);

    /// <summary>The refusal of a text.</summary>
    internal ProblemException Refuse(string text) =>
        Problems.InvalidParameter(Name, $"'{UserInput.Printable(text)}' is not accepted: expected {Expected}");
}

/// <summary>A parameter whose values are of one type.</summary>
public abstract class Parameter<T>(string name, string description, T fallback) : Parameter(name, description)
{
    /// <summary>The value where a request does not say.</summary>
    public T Default { get; } = fallback;

    /// <summary>Reads a text that is not empty.</summary>
    protected abstract bool TryRead(string text, out T value);

    internal override object Read(string text) => text.Length > 0 && TryRead(text, out var value) ? value! : throw Refuse(text);
}
