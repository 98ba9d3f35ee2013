using Telemetry.Broker;
using Telemetry.Broker.Commands;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;

if (CommandProgram.IsMeant(args))
    return await AdminProgram.RunAsync(args);
return await ServiceProgram.RunAsync<BrokerOptions>(
    "broker",
    "the message queue: partitioned topics, idempotent publishing, consumer groups\n" + AdminProgram.Hint,
    args,
    options => BrokerApp.Build(options).RunToEndAsync());
