using Telemetry.Collector;
using Telemetry.ServiceDefaults;

return await ServiceProgram.RunAsync<CollectorOptions>(
    "collector", "writes records from the queue to the store, each exactly once", args,
    options => CollectorApp.Build(options).RunToEndAsync());
