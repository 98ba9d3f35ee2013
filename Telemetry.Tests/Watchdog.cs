using System.Collections.Concurrent;
using System.Reflection;
using Telemetry.Tests;
using Xunit.v3;

[assembly: Watchdog]

namespace Telemetry.Tests;

/// <summary>
/// Ends the run when a test does not end: without this nobody would learn which one it is. Far above what any test needs,
/// and above the deadlines that tests have of their own.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class WatchdogAttribute : BeforeAfterTestAttribute
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8) + Distributed.Chance.Longer;
    private static readonly ConcurrentDictionary<string, (string Name, DateTime Began)> Running = new();
    private static readonly Timer Timer = new(_ => Look(), null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => Running[test.UniqueID] = (test.TestDisplayName, DateTime.UtcNow);

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test) => Running.TryRemove(test.UniqueID, out _);

    private static void Look()
    {
        GC.KeepAlive(Timer);
        var stuck = Running.Values.Where(test => DateTime.UtcNow - test.Began > Limit).Select(test => test.Name).ToList();
        if (stuck.Count > 0)
            Environment.FailFast($"did not end within {Limit.TotalMinutes} minutes: {string.Join(", ", stuck)}");
    }
}
