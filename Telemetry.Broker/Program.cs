using Telemetry.Broker;
using Telemetry.ServiceDefaults;

return await ServiceProgram.RunAsync<BrokerOptions>(
    "broker",
    "the message queue: partitioned topics, idempotent publishing, consumer groups",
    args,
    options => BrokerApp.Build(options).RunToEndAsync());
