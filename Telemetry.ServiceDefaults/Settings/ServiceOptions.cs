namespace Telemetry.ServiceDefaults.Settings;

/// <summary>How much is logged.</summary>
public enum LogVerbosity
{
    /// <summary>Everything, for finding a fault.</summary>
    Debug,

    /// <summary>What an operator wants to read.</summary>
    Info,

    /// <summary>Only what may need attention.</summary>
    Warn,

    /// <summary>Only what failed.</summary>
    Error,
}

/// <summary>The settings that every service has.</summary>
/// <remarks>
/// To add a setting to a service: add a property with its default and a <see cref="SettingAttribute"/> to the service's
/// options record, a line to the README's table and to the AppHost's <c>ServiceSettings</c>, and a case to the service's
/// settings test. Nothing else lists settings.
/// </remarks>
public abstract record ServiceOptions
{
    // Logging

    /// <summary>The least severe level that is logged.</summary>
    [Setting("LOG_LEVEL", "The least severe level that is logged.")]
    public LogVerbosity LogLevel { get; init; } = LogVerbosity.Info;

    // Network

    /// <summary>
    /// The address to listen on: <c>localhost</c> (default: nothing outside this machine can connect), <c>any</c>, or an IP address.
    /// </summary>
    [Setting("LISTEN_ADDRESS", "The address to listen on: localhost, any, or an IP address. 'any' opens the service to the network.")]
    public string ListenAddress { get; init; } = "localhost";
}
