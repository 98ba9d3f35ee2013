using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>Whether a gateway answers on the port, or could.</summary>
internal static class PortCheck
{
    private const string Name = "port";

    public static async Task<Diagnosis> RunAsync(GatewayOptions options, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (options.Port == 0)
            return Diagnosis.Ok(Name, "any free one");
        var address = options.ListenAddress is "localhost" or "any" ? IPAddress.Loopback
            : IPAddress.TryParse(options.ListenAddress, out var given) ? given : null;
        if (address is null)
            return Diagnosis.Fail(Name, $"LISTEN_ADDRESS '{options.ListenAddress}' is no address", "set it to localhost, any or an IP address");
        using var http = new HttpClient { Timeout = patience };
        try
        {
            var health = await http.GetStreamAsync(new UriBuilder("http", address.ToString(), options.Port, "/health").Uri, cancellationToken);
            await using (health)
            {
                return await JsonSerializer.DeserializeAsync(health, GatewayJson.Default.HealthAnswer, cancellationToken) is { Store: { } store }
                    ? Diagnosis.Ok(Name, $"a gateway answers on {options.Port}; its store is {store}")
                    : Used(options);
            }
        }
        catch (HttpRequestException error) when (error.GetBaseException() is SocketException)
        {
            return Bind(options.ListenAddress == "any" ? IPAddress.Any : address, options);
        }
        catch (HttpRequestException error) when (error.StatusCode >= HttpStatusCode.InternalServerError)
        {
            return Diagnosis.Warn(Name, $"what answers on {options.Port} says {(int)error.StatusCode.Value} of its health", "if it is a gateway, its log says why; what follows may, too");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException)
        {
            return Used(options);
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Diagnosis.Fail(Name, $"a program listens on {options.Port} and did not answer within {patience.TotalSeconds:0} s", "stop it, or choose another port with PORT");
        }
    }

    private static Diagnosis Used(GatewayOptions options) =>
        Diagnosis.Fail(Name, $"{options.Port} is in use by a program that is no gateway", $"stop it (ss -ltnp 'sport = :{options.Port}' shows it), or choose another port with PORT");

    private static Diagnosis Bind(IPAddress address, GatewayOptions options)
    {
        try
        {
            using var listener = new TcpListener(address, options.Port);
            listener.Start();
            return Diagnosis.Ok(Name, $"{options.Port} is free; no gateway runs there now");
        }
        catch (SocketException error)
        {
            return Diagnosis.Fail(Name, $"nobody answers on {options.Port}, and a gateway could not listen there: {error.Message}", "choose another port with PORT, or another LISTEN_ADDRESS");
        }
    }
}
