using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Telemetry.ServiceDefaults;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>Whether a gateway answers on the port, or could.</summary>
internal static class PortCheck
{
    private const string Name = "port";

    /// <param name="options">What a gateway would be started with.</param>
    /// <param name="isStoreReady">Whether there is a store at its DATABASE_PATH.</param>
    /// <param name="patience">How long a whole answer may take.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<Diagnosis> RunAsync(GatewayOptions options, bool isStoreReady, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (options.Port == 0)
            return Diagnosis.Ok(Name, "any free one");
        var addresses = ServiceHost.ListenAddresses(options);
        foreach (var address in addresses.SelectMany(Reachable))
        {
            if (await AskAsync(address, options, isStoreReady, patience, cancellationToken) is { } found)
                return found;
        }
        return Bind(addresses, options.Port);
    }

    private static IEnumerable<IPAddress> Reachable(IPAddress address) =>
        address.Equals(IPAddress.IPv6Any) ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
        : address.Equals(IPAddress.Any) ? [IPAddress.Loopback]
        : [address];

    /// <summary>Null where nobody answers.</summary>
    private static async Task<Diagnosis?> AskAsync(IPAddress address, GatewayOptions options, bool isStoreReady, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(patience); // the client's own time-out would end with the headers
        try
        {
            await using var health = await http.GetStreamAsync(new UriBuilder("http", address.ToString(), options.Port, "/health").Uri, deadline.Token);
            return Of((await JsonSerializer.DeserializeAsync(health, GatewayJson.Default.HealthAnswer, deadline.Token))?.Store, options, isStoreReady);
        }
        catch (HttpRequestException error) when (error.GetBaseException() is SocketException)
        {
            return null;
        }
        catch (HttpRequestException error) when (error.StatusCode >= HttpStatusCode.InternalServerError)
        {
            return Diagnosis.Warn(Name, $"what answers on {options.Port} says {(int)error.StatusCode.Value} of its health", "if it is a gateway, its log says why; what follows may, too");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException)
        {
            return Used(options.Port);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Diagnosis.Fail(Name, $"a program listens on {options.Port} and did not answer within {patience.TotalSeconds:0.###} s", "stop it, or choose another port with PORT");
        }
    }

    private static Diagnosis Of(string? store, GatewayOptions options, bool isStoreReady)
    {
        const string advice = "it was started with another DATABASE_PATH or in another folder: its log begins with the one that it has";
        return store switch
        {
            "waiting" when isStoreReady => Diagnosis.Warn(Name, $"a gateway answers on {options.Port}, but waits for a store that is there: {Path.GetFullPath(options.DatabasePath)}", advice),
            "ready" when !isStoreReady => Diagnosis.Warn(Name, $"a gateway answers on {options.Port} and has a store, but none can be read at {Path.GetFullPath(options.DatabasePath)}", advice),
            "ready" or "waiting" => Diagnosis.Ok(Name, $"a gateway answers on {options.Port}; its store is {store}"),
            _ => Used(options.Port),
        };
    }

    private static Diagnosis Used(int port) =>
        Diagnosis.Fail(Name, $"{port} is in use by a program that is no gateway", $"stop it (ss -ltnp 'sport = :{port}' shows it), or choose another port with PORT");

    // As Kestrel does it: of several addresses one will do, but none may be another program's.
    private static Diagnosis Bind(IReadOnlyList<IPAddress> addresses, int port)
    {
        var errors = new List<(IPAddress Address, SocketException Error)>();
        foreach (var address in addresses)
        {
            try
            {
                using var listener = new TcpListener(address, port);
                if (address.Equals(IPAddress.IPv6Any))
                    listener.Server.DualMode = true;
                listener.Start();
            }
            catch (SocketException error)
            {
                errors.Add((address, error));
            }
        }
        var inUse = errors.Where(e => e.Error.SocketErrorCode == SocketError.AddressAlreadyInUse).ToList();
        if (inUse.Count == 0 && errors.Count < addresses.Count)
            return Diagnosis.Ok(Name, $"{port} is free; no gateway runs there now");
        var (where, why) = (inUse.Count > 0 ? inUse : errors)[0];
        return Diagnosis.Fail(Name, $"nobody answers on {port}, and a gateway could not listen on {new IPEndPoint(where, port)}: {why.Message}", "choose another port with PORT, or another LISTEN_ADDRESS");
    }
}
