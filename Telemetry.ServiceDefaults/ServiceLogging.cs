using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.ServiceDefaults;

/// <summary>Logs to standard output, one event a line.</summary>
internal static class ServiceLogging
{
    /// <summary>JSON lines, or plain lines when <c>Logging:Console:FormatterName</c> is <c>simple</c> (as an Aspire host sets it).</summary>
    public static void AddServiceLogging(this ILoggingBuilder logging, IConfiguration configuration, LogVerbosity verbosity)
    {
        var level = verbosity switch
        {
            LogVerbosity.Debug => LogLevel.Debug,
            LogVerbosity.Info => LogLevel.Information,
            LogVerbosity.Warn => LogLevel.Warning,
            _ => LogLevel.Error,
        };
        logging.ClearProviders();
        logging.SetMinimumLevel(level);
        // The framework's own requests and connections are noise unless something is being looked for.
        logging.AddFilter("Microsoft", level == LogLevel.Debug ? LogLevel.Information : Max(level, LogLevel.Warning));
        logging.AddFilter("Grpc", level == LogLevel.Debug ? LogLevel.Information : Max(level, LogLevel.Error));
        // The host's own report of a failed start or worker is a stack trace; ServiceHost.RunToEndAsync says it in a line.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        if (configuration["Logging:Console:FormatterName"] == "simple")
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
                console.UseUtcTimestamp = true;
                console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
            });
        }
        else
        {
            logging.AddJsonConsole(console =>
            {
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
                console.IncludeScopes = false;
            });
        }
    }

    private static LogLevel Max(LogLevel a, LogLevel b) => a > b ? a : b;
}
