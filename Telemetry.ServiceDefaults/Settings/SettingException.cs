namespace Telemetry.ServiceDefaults.Settings;

/// <summary>
/// A setting that cannot be used. The message is one line for the person who starts the program and names the setting,
/// the value and what is accepted; the program ends with exit code 2.
/// </summary>
public sealed class SettingException(string message) : Exception(message);
