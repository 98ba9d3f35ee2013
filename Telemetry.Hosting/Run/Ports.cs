using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;

namespace Telemetry.Hosting.Run;

/// <summary>A loopback port that nobody else can take until it is released or used.</summary>
internal sealed class ReservedPort(int port, IReadOnlyList<Socket> listeners) : IDisposable
{
    public int Port { get; } = port;

    /// <summary>The sockets that hold the port: they listen already, on 127.0.0.1 and, where there is IPv6, on ::1.</summary>
    public IReadOnlyList<Socket> Listeners { get; } = listeners;

    /// <summary>Frees the port for the process that is to listen on it.</summary>
    public void Dispose()
    {
        foreach (var listener in Listeners)
            listener.Dispose();
    }
}

/// <summary>Finds and holds loopback ports.</summary>
internal static class Ports
{
    // Below the ranges from which Linux (32768), macOS and Windows (49152) take the ports of outgoing connections:
    // otherwise a connection that is made before a service listens could take the port away from it.
    private const int FreeMin = 20_000;
    private const int FreeMax = 32_000;

    // One after another, from somewhere: a port is released a moment before its process listens on it, and must not be found
    // free by another application in this moment.
    private static int s_next = Random.Shared.Next(FreeMax - FreeMin);

    /// <summary>Holds any free port.</summary>
    public static ReservedPort ReserveFree()
    {
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            var next = (uint)Interlocked.Increment(ref s_next) % (FreeMax - FreeMin);
            if (TryReserve(FreeMin + (int)next) is { } reserved)
                return reserved;
        }
        throw new DistributedApplicationException($"there is no free port from {FreeMin} to {FreeMax}");
    }

    /// <summary>Holds a certain port. Null when it is in use.</summary>
    /// <exception cref="DistributedApplicationException">This user may not listen on it.</exception>
    public static ReservedPort? TryReserve(int port)
    {
        var listeners = new List<Socket>();
        try
        {
            listeners.Add(Listen(IPAddress.Loopback, port));
            if (Socket.OSSupportsIPv6)
                listeners.Add(Listen(IPAddress.IPv6Loopback, port));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            // IPv6 is compiled in but has no loopback address (containers): IPv4 alone it is.
        }
        catch (SocketException error)
        {
            foreach (var listener in listeners)
                listener.Dispose();
            if (error.SocketErrorCode == SocketError.AccessDenied)
                throw new DistributedApplicationException($"this user may not listen on port {port}: choose one from 1024 on", error);
            if (error.SocketErrorCode != SocketError.AddressAlreadyInUse)
                throw;
            return null;
        }
        return new ReservedPort(port, listeners);
    }

    private static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
