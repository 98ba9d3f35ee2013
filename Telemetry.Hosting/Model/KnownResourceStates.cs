namespace Aspire.Hosting.ApplicationModel;

/// <summary>The states of a replica.</summary>
public static class KnownResourceStates
{
    /// <summary>Nothing has happened yet.</summary>
    public static readonly string NotStarted = nameof(NotStarted);

    /// <summary>It waits for another resource to be healthy.</summary>
    public static readonly string Waiting = nameof(Waiting);

    /// <summary>Its process is being started.</summary>
    public static readonly string Starting = nameof(Starting);

    /// <summary>Its process runs.</summary>
    public static readonly string Running = nameof(Running);

    /// <summary>Its process has ended with a failure, or was ended; unless the application stops, it is started again.</summary>
    public static readonly string Exited = nameof(Exited);

    /// <summary>Its process has ended by itself and without a failure; it is not started again.</summary>
    public static readonly string Finished = nameof(Finished);

    /// <summary>It cannot run, and is not tried again.</summary>
    public static readonly string FailedToStart = nameof(FailedToStart);

    /// <summary>Its process was told to stop.</summary>
    public static readonly string Stopping = nameof(Stopping);

    /// <summary>It runs, but what it needs to run has failed.</summary>
    public static readonly string RuntimeUnhealthy = nameof(RuntimeUnhealthy);

    /// <summary>States of a replica without a process that was there; the host may still start an exited one again.</summary>
    public static readonly IReadOnlyList<string> TerminalStates = [Finished, FailedToStart, Exited];

    /// <summary>States in which a replica will never be healthy again.</summary>
    internal static bool IsFinal(string state) => state == Finished || state == FailedToStart;
}
