namespace Telemetry.ServiceDefaults;

/// <summary>
/// A service cannot start or go on for a reason that the person who runs it can mend. The message is one line that says
/// what and how; the program ends with exit code 1.
/// </summary>
public sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);
