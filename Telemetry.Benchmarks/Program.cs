using System.CommandLine;
using Telemetry.Benchmarks.Broker;
using Telemetry.Benchmarks.Dashboard;
using Telemetry.Benchmarks.Fleet;
using Telemetry.Benchmarks.Pipeline;
using Telemetry.Benchmarks.Store;

var root = new RootCommand("Sample telemetry, and every performance claim as a command.")
{
    GenerateCommand.Create(),
    BrokerCommand.Create(),
    PipelineCommand.Create(),
    StoreCommand.Create(),
    DashboardCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
