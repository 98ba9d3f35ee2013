using Telemetry.ServiceDefaults.Settings;


namespace Telemetry.Gateway.Http;

/// <summary>The parameters of a request, each read and checked by the route's table.</summary>
public sealed class ParameterValues
{
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly object?[] _values;

    private ParameterValues(IReadOnlyList<Parameter> parameters)
    {
        _parameters = parameters;
        _values = new object?[parameters.Count];
    }

    /// <summary>Reads query and path.</summary>
    /// <exception cref="ProblemException">A parameter is unknown, repeated, missing or not acceptable.</exception>
    public static ParameterValues Read(HttpContext http, IReadOnlyList<Parameter> parameters)
    {
        var values = new ParameterValues(parameters);
        foreach (var (name, texts) in http.Request.Query)
        {
            var index = IndexOf(parameters, name);
            if (index < 0)
                throw Unknown(name, parameters);
            if (texts.Count > 1)
                throw Problems.InvalidParameter(name, $"given {texts.Count} times; give it once");
            values._values[index] = parameters[index].Read(texts.ToString());
        }
        for (var i = 0; i < parameters.Count; i++)
        {
            var parameter = parameters[i];
            if (parameter.InPath)
                values._values[i] = parameter.Read(PathSegment.Read(http, parameter.Name));
            else if (parameter.Required && values._values[i] is null)
                throw Problems.InvalidParameter(parameter.Name, $"is missing: expected {parameter.Expected}");
        }
        return values;
    }

    /// <summary>The value, or the parameter's default.</summary>
    public T Get<T>(Parameter<T> parameter) => _values[Index(parameter)] is T value ? value : parameter.Default;

    /// <summary>Whether the request says it.</summary>
    public bool Has(Parameter parameter) => _values[Index(parameter)] is not null;

    private int Index(Parameter parameter)
    {
        for (var i = 0; i < _parameters.Count; i++)
        {
            if (ReferenceEquals(_parameters[i], parameter))
                return i;
        }
        throw new InvalidOperationException($"The route's table does not list the parameter '{parameter.Name}'.");
    }

    private static int IndexOf(IReadOnlyList<Parameter> parameters, string name)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            if (!parameters[i].InPath && parameters[i].Name == name)
                return i;
        }
        return -1;
    }

    private static ProblemException Unknown(string name, IReadOnlyList<Parameter> parameters)
    {
        var shown = UserInput.Printable(name);
        var known = parameters.Where(p => !p.InPath).Select(p => p.Name).ToList();
        return Problems.InvalidParameter(shown, known.Count == 0
            ? "unknown parameter; this route has none"
            : $"unknown parameter; known: {string.Join(", ", known)}");
    }
}
