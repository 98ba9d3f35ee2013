using Telemetry.Gateway.Fleet;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>What a gateway that is started here goes by.</summary>
/// <param name="Options">Its settings.</param>
/// <param name="Rules">Its rules.</param>
/// <param name="Queue">The queue's address; null for none.</param>
internal sealed record Setup(GatewayOptions Options, FleetRules Rules, string? Queue)
{
    /// <summary>Reads it as a gateway does.</summary>
    /// <param name="flags">Flags of the gateway.</param>
    /// <param name="environment">Looks up an environment variable.</param>
    /// <exception cref="SettingException">Something of it cannot be used; the message begins with the setting's name, or with that of its flag.</exception>
    public static Setup Read(IReadOnlyList<string> flags, Func<string, string?> environment)
    {
        var options = SettingsReader.Read<GatewayOptions>(flags, environment);
        _ = ServiceHost.ListenAddresses(options); // refused where it is none
        return new Setup(options, FleetRules.Load(options.FleetRules), QueueAddress.TryResolve(options.MessageQueueAddress, environment));
    }
}
