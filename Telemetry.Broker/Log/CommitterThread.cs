namespace Telemetry.Broker.Log;

/// <summary>Runs a <see cref="LogCommitter"/> on a thread of its own, until it is disposed: its calls block on the disk.</summary>
internal sealed class CommitterThread : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    public CommitterThread(LogCommitter committer)
    {
        _thread = new Thread(() => committer.Run(_stop.Token)) { Name = "log committer", IsBackground = true };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }
}
