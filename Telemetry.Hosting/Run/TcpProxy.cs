using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Telemetry.Hosting.Run;

/// <summary>Gives an endpoint of several replicas one port: each connection goes to the next replica that takes it.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    // Beyond this many, clients wait in the operating system's queue.
    private const int ConnectionsMax = 1_000;

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _free = new(ConnectionsMax);
    private readonly Func<IReadOnlyList<int>> _targets;
    private readonly List<Task> _accepting;
    private int _next = -1;

    /// <summary>Starts to accept.</summary>
    /// <param name="listeners">Sockets that listen on the outer port.</param>
    /// <param name="targets">The loopback ports of the replicas that can be used now.</param>
    public TcpProxy(IReadOnlyList<Socket> listeners, Func<IReadOnlyList<int>> targets)
    {
        _targets = targets;
        _accepting = [.. listeners.Select(AcceptAsync)];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_accepting);
    }

    private static readonly TimeSpan AcceptRetryDelay = TimeSpan.FromMilliseconds(50);

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _free.WaitAsync(_stop.Token);
                var client = await listener.AcceptAsync(_stop.Token);
                _ = ServeAsync(client);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // The client has gone before it was accepted, or there are no more descriptors, which takes a while to pass.
                _free.Release();
                await Task.Delay(AcceptRetryDelay, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using (client)
        {
            try
            {
                using var target = await ConnectAsync();
                if (target is null)
                    return; // no replica runs: the client sees its connection closed
                client.NoDelay = target.NoDelay = true;
                await Task.WhenAll(CopyAsync(client, target), CopyAsync(target, client));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // Either side was reset, or the host stops: both connections are closed.
            }
            finally
            {
                _free.Release();
            }
        }
    }

    private async Task<Socket?> ConnectAsync()
    {
        var targets = _targets();
        for (var attempt = 0; attempt < targets.Count; attempt++)
        {
            var port = targets[(int)((uint)Interlocked.Increment(ref _next) % (uint)targets.Count)];
            var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await target.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), _stop.Token);
                return target;
            }
            catch (SocketException)
            {
                target.Dispose(); // it has just ended: the next one
            }
            catch
            {
                target.Dispose();
                throw;
            }
        }
        return null;
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, _stop.Token)) > 0)
            {
                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stop.Token);
            }
            // One direction has ended; the other may still have something to say.
            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Both directions end: the other one would wait for a peer that has gone.
            from.Close();
            to.Close();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
