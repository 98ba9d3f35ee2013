namespace Aspire.Hosting;

/// <summary>
/// The application cannot be built or started for a reason that the person who runs it can mend. The message is one
/// line that says what and how; <see cref="DistributedApplication.RunAsync"/> shows it and sets exit code 1.
/// </summary>
public class DistributedApplicationException : Exception
{
    /// <summary>An error without details.</summary>
    public DistributedApplicationException()
    {
    }

    /// <summary>An error with its message.</summary>
    public DistributedApplicationException(string message)
        : base(message)
    {
    }

    /// <summary>An error with its message and what caused it.</summary>
    public DistributedApplicationException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
