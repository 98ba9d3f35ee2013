using System.CommandLine;
using Telemetry.Benchmarks.Broker;
using Telemetry.Benchmarks.Fleet;
using Telemetry.Benchmarks.Pipeline;

var root = new RootCommand("Sample telemetry, and every performance claim as a command.")
{
    GenerateCommand.Create(),
    BrokerCommand.Create(),
    PipelineCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
