using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Aspire.Hosting;
using Microsoft.Extensions.Configuration;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Dashboard;

/// <summary>
/// Where the dashboard is, and who may see it: whoever has the token of its address, which is new with every run. The
/// settings are <c>Dashboard:Enabled</c> and <c>Dashboard:Port</c>.
/// </summary>
internal sealed class DashboardAccess(IConfiguration configuration) : IDisposable
{
    private const int DefaultPort = 18888;

    // The token is in the terminal and in the browser's history; the cookie is not the same secret.
    private readonly string _token = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly string _session = RandomNumberGenerator.GetHexString(64, lowercase: true);
    private ReservedPort? _reserved;

    /// <summary>The address with the token; null where there is no dashboard.</summary>
    public string? Url { get; private set; }

    /// <summary>The port on the loopback addresses.</summary>
    public int Port { get; private set; }

    /// <summary>The sockets that hold the port.</summary>
    public IReadOnlyList<Socket> Listeners => _reserved?.Listeners ?? [];

    /// <summary>The cookie's name: cookies are not kept apart by port, and there may be several dashboards.</summary>
    public string CookieName => string.Create(CultureInfo.InvariantCulture, $"telemetry-dashboard-{Port}");

    /// <summary>The cookie's value.</summary>
    public string Session => _session;

    /// <summary>Decides whether and where, and holds the port.</summary>
    /// <exception cref="DistributedApplicationException">The settings cannot be used, or the port is in use.</exception>
    public void Prepare()
    {
        if (!Enabled())
            return;
        _reserved = Reserve();
        Port = _reserved.Port;
        Url = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{Port}/login?t={_token}");
    }

    /// <summary>There is no dashboard after all.</summary>
    public void TurnOff() => Url = null;

    /// <summary>Whether this is the token of the address.</summary>
    public bool IsToken(string? text) => AreEqual(text, _token);

    /// <summary>Whether this is the value of the cookie.</summary>
    public bool IsSession(string? text) => AreEqual(text, _session);

    public void Dispose() => _reserved?.Dispose();

    private bool Enabled()
    {
        var text = configuration["Dashboard:Enabled"];
        if (string.IsNullOrEmpty(text))
            return true;
        return bool.TryParse(text, out var enabled)
            ? enabled
            : throw new DistributedApplicationException($"Dashboard:Enabled: '{text}' is not accepted: expected true or false");
    }

    private ReservedPort Reserve()
    {
        var text = configuration["Dashboard:Port"];
        if (string.IsNullOrEmpty(text))
            return Ports.TryReserve(DefaultPort) ?? Ports.ReserveFree();
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            throw new DistributedApplicationException($"Dashboard:Port: '{text}' is not accepted: expected a whole number from 0 (any free port) to 65535");
        if (port == 0)
            return Ports.ReserveFree();
        return Ports.TryReserve(port)
            ?? throw new DistributedApplicationException($"port {port} is in use by another program (wanted for the dashboard): stop that program, or choose another port: --Dashboard:Port=0 is any free one");
    }

    // In constant time, so that the time tells nothing about how much of a guess is right.
    private static bool AreEqual(string? text, string secret) =>
        text is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(secret));
}
