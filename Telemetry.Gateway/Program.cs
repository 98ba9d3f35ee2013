using Telemetry.Gateway;
using Telemetry.ServiceDefaults;

return await ServiceProgram.RunAsync<GatewayOptions>(
    "gateway", "answers questions about the telemetry in the store over HTTP.", args,
    options => GatewayApp.Build(options).RunToEndAsync());
