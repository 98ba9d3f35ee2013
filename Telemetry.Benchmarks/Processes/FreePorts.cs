using System.Net;
using System.Net.Sockets;

namespace Telemetry.Benchmarks.Processes;

/// <summary>Ports that nobody listens on.</summary>
public static class FreePorts
{
    /// <summary>Several different free ports on loopback. They are free when this returns; nobody holds them.</summary>
    public static IReadOnlyList<int> Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            foreach (var listener in listeners)
                listener.Start();
            return [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners)
                listener.Dispose();
        }
    }
}
