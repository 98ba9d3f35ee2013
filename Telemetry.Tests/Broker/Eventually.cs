namespace Telemetry.Tests.Broker;

/// <summary>Waits for something in this process that gives no signal, without sleeping.</summary>
internal static class Eventually
{
    public static async Task Is(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
