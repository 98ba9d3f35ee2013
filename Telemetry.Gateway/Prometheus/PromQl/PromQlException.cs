namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>What kind of error it is: Prometheus's <c>errorType</c>.</summary>
internal enum PromQlFault
{
    /// <summary>The request makes no sense: 400.</summary>
    BadData,

    /// <summary>It makes sense, and cannot be computed, or not here: 422.</summary>
    Execution,
}

/// <summary>A query that cannot be answered, with what the user is told.</summary>
internal sealed class PromQlException(PromQlFault fault, string message) : Exception(message)
{
    /// <summary>The kind.</summary>
    public PromQlFault Fault { get; } = fault;

    /// <summary>An error in the text of a query.</summary>
    public static PromQlException Syntax(string text, int position, string message) =>
        new(PromQlFault.BadData, $"{Place(text, position)}: parse error: {message}");

    /// <summary>A construct of PromQL that is not supported here.</summary>
    public static PromQlException NotSupported(string text, int position, string construct) =>
        new(PromQlFault.Execution, $"{Place(text, position)}: {construct} is not supported here");

    /// <summary>A query that cannot be computed.</summary>
    public static PromQlException Impossible(string message) => new(PromQlFault.Execution, message);

    /// <summary>A parameter that cannot be read.</summary>
    public static PromQlException Parameter(string name, string message) => new(PromQlFault.BadData, $"invalid parameter \"{name}\": {message}");

    // Line and column, both from 1.
    private static string Place(string text, int position)
    {
        var before = text.AsSpan(0, Math.Min(position, text.Length));
        return $"{before.Count('\n') + 1}:{before.Length - before.LastIndexOf('\n')}";
    }
}
