using Microsoft.Extensions.Logging;

namespace Telemetry.ServiceDefaults;

/// <summary>What every service may log. Event ids 500–599.</summary>
internal static partial class ServiceDefaultsLog
{
    [LoggerMessage(500, LogLevel.Critical, "A worker failed; the service stops.")]
    public static partial void WorkerFailed(ILogger logger, Exception error);
}
