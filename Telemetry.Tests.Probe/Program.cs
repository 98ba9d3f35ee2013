using Telemetry.ServiceDefaults;
using Telemetry.Tests.Probe;

return args is ["host", ..]
    ? await ProbeHost.RunAsync(args[1..])
    : await ServiceProgram.RunAsync<ProbeOptions>("probe", "behaves as its settings say", args, ProbeService.RunAsync);
