using Telemetry.Gateway;
using Telemetry.Gateway.Commands;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;

if (CommandProgram.IsMeant(args))
    return await GatewayCommands.RunAsync(args);
return await ServiceProgram.RunAsync<GatewayOptions>(
    "gateway", "answers questions about the telemetry in the store over HTTP\n" + GatewayCommands.Hint, args,
    options => GatewayApp.Build(options).RunToEndAsync());
