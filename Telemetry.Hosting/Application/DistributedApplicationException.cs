namespace Aspire.Hosting;

/// <summary>
/// The application cannot be built or started for a reason that the person who runs it can mend. The message is one
/// line that says what and how; <see cref="DistributedApplication.RunAsync"/> shows it and sets the exit code.
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

/// <summary>A setting of the host's own cannot be used: exit code 2, as for the services.</summary>
internal sealed class BadSettingException(string message) : DistributedApplicationException(message);
