using Telemetry.Gateway.Http;
using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Prometheus;

/// <summary>
/// A request as Prometheus reads it: parameters in the query or in a form, of which one that is not known does not matter.
/// </summary>
internal sealed class PrometheusRequest
{
    private readonly Dictionary<Parameter, IReadOnlyList<object>> _values = [];

    private PrometheusRequest(GatewaySources services, CancellationToken stop) => (Services, Stop) = (services, stop);

    /// <summary>The sources.</summary>
    public GatewaySources Services { get; }

    /// <summary>Ends the work when the client has gone or the query takes too long.</summary>
    public CancellationToken Stop { get; }

    /// <summary>Reads the parameters.</summary>
    /// <exception cref="PromQlException">One is missing or not acceptable.</exception>
    public static async Task<PrometheusRequest> ReadAsync(HttpContext http, IReadOnlyList<Parameter> parameters, GatewaySources services, CancellationToken stop)
    {
        var request = new PrometheusRequest(services, stop);
        var form = await FormBody.ReadAsync(http, stop);
        foreach (var parameter in parameters)
        {
            IEnumerable<string?> texts = parameter.InPath ? [PathSegment.Read(http, parameter.Name)] : [.. form[parameter.Name], .. http.Request.Query[parameter.Name]];
            var values = texts.Where(t => !string.IsNullOrEmpty(t)).Select(t => Read(parameter, t!)).ToList();
            if (values.Count > 0)
                request._values.Add(parameter, values);
            else if (parameter.Required)
                throw PromQlException.Parameter(parameter.Name, $"is missing: expected {parameter.Expected}");
        }
        return request;
    }

    /// <summary>A parameter's value, the first where there are several, or its default.</summary>
    public T Get<T>(Parameter<T> parameter) => _values.TryGetValue(parameter, out var values) ? (T)values[0] : parameter.Default;

    /// <summary>All values of a parameter.</summary>
    public IEnumerable<T> All<T>(Parameter<T> parameter) => _values.TryGetValue(parameter, out var values) ? values.Cast<T>() : [];

    private static object Read(Parameter parameter, string text)
    {
        try
        {
            return parameter.Read(text);
        }
        catch (ProblemException)
        {
            throw PromQlException.Parameter(parameter.Name, $"'{UserInput.Printable(text)}' is not accepted: expected {parameter.Expected}");
        }
    }
}
