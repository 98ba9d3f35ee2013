using Telemetry.ServiceDefaults;
using Telemetry.Streamer;

return await ServiceProgram.RunAsync<StreamerOptions>(
    "streamer",
    "reads GPU telemetry from CSV files and publishes it, each record exactly once.",
    args,
    options => StreamerApp.Build(options).RunToEndAsync());
