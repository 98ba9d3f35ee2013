using Telemetry.Collector;
using Telemetry.Collector.Commands;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;

if (CommandProgram.IsMeant(args))
    return await CollectorCommands.RunAsync(args);
return await ServiceProgram.RunAsync<CollectorOptions>(
    "collector",
    "writes records from the queue to the store, each exactly once\n" + CollectorCommands.Hint,
    args,
    options => CollectorApp.Build(options).RunToEndAsync());
