using System.CommandLine;
using Telemetry.Benchmarks.Fleet;

var root = new RootCommand("Sample telemetry, and every performance claim as a command.")
{
    GenerateCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
