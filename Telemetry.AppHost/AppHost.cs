// The whole system: four services, their settings, and who needs whom. The same file runs on Aspire and on the embedded
// host (Telemetry.Hosting); neither this file nor the services know which one it is.
using System.Globalization;
using Microsoft.Extensions.Configuration.Memory;

var builder = DistributedApplication.CreateBuilder(args);

// The settings of a run: `--GatewayPort=8081`, or an environment variable of that name. First in line, so that both win.
var repository = Path.GetFullPath(Path.Combine(builder.AppHostDirectory, ".."));
builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
{
    InitialData = new Dictionary<string, string?>
    {
        ["GatewayPort"] = "8080",
        ["Streamers"] = "2",
        ["Collectors"] = "2",
        ["CsvFile"] = Path.Combine(repository, "data", "telemetry.csv"),
        ["DataFolder"] = Path.Combine(repository, "data", "run"),
    },
});
var problems = new List<string>();
var gatewayPort = Number("GatewayPort", 1, 65535);
var streamers = Number("Streamers", 1, 16);
var collectors = Number("Collectors", 1, 16);
var csvFile = InputPath("CsvFile");
var dataFolder = FolderPath("DataFolder");
if (problems.Count > 0)
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, problems));
    return 2;
}
var database = Path.Combine(dataFolder, "telemetry.db");

// Endpoints are named, and their ports given in the services' own settings, so that no launch profile is needed.
var broker = builder.AddProject<Projects.Telemetry_Broker>("broker", launchProfileName: null)
    .WithHttpEndpoint(name: "http", env: "METRICS_PORT")
    .WithHttpEndpoint(name: "grpc", env: "PORT")
    .WithEndpoint("grpc", endpoint => endpoint.Transport = "http2")
    .WithHttpHealthCheck("/health", endpointName: "http");

builder.AddProject<Projects.Telemetry_Streamer>("streamer", launchProfileName: null)
    .WithReplicas(streamers)
    .WithHttpEndpoint(name: "http", env: "METRICS_PORT")
    .WithHttpHealthCheck("/health", endpointName: "http")
    .WithEnvironment("CSV_FILE", csvFile)
    .WithEnvironment("STREAM_INTERVAL", "1s")
    .WithEnvironment("BATCH_SIZE", "32")
    .WithEnvironment("MESSAGEQUEUE_ADDR", broker.GetEndpoint("grpc"))
    .WithReference(broker)
    .WaitFor(broker);

builder.AddProject<Projects.Telemetry_Collector>("collector", launchProfileName: null)
    .WithReplicas(collectors)
    .WithHttpEndpoint(name: "http", env: "METRICS_PORT")
    .WithHttpHealthCheck("/health", endpointName: "http")
    .WithEnvironment("DATABASE_PATH", database)
    .WithEnvironment("POLL_INTERVAL", "500ms")
    .WithEnvironment("MESSAGEQUEUE_ADDR", broker.GetEndpoint("grpc"))
    .WithReference(broker)
    .WaitFor(broker);

builder.AddProject<Projects.Telemetry_Gateway>("gateway", launchProfileName: null)
    .WithHttpEndpoint(name: "http", port: gatewayPort, env: "PORT")
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health", endpointName: "http")
    .WithUrlForEndpoint("http", _ => new() { Url = "/swagger/index.html", DisplayText = "Swagger UI" })
    .WithUrl(new Uri(dataFolder).AbsoluteUri, "data folder")
    .WithEnvironment("DATABASE_PATH", database)
    .WithEnvironment("MESSAGEQUEUE_ADDR", broker.GetEndpoint("grpc"))
    .WithReference(broker)
    .WaitFor(broker);

// Services do not inherit the AppHost's environment.
if (builder.ExecutionContext.IsRunMode)
{
    foreach (var service in builder.Resources.OfType<ProjectResource>())
        builder.CreateResourceBuilder(service).WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.Environment.EnvironmentName);
}

await builder.Build().RunAsync();
return Environment.ExitCode;

int Number(string name, int min, int max)
{
    var text = builder.Configuration[name];
    if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
        return number;
    problems.Add($"apphost: {name}: '{text}' is not accepted: expected a whole number from {min} to {max}");
    return min;
}

string FullPath(string name)
{
    // Relative to where the command was typed, as in every other program.
    if (builder.Configuration[name] is { Length: > 0 } path)
        return Path.GetFullPath(path);
    problems.Add($"apphost: {name}: '' is not accepted: expected a path");
    return "";
}

string InputPath(string name)
{
    var path = FullPath(name);
    // A glob is the streamers' to look into.
    if (path.Length > 0 && builder.ExecutionContext.IsRunMode && !Path.Exists(path) && path.AsSpan().IndexOfAny("*?[") < 0)
        problems.Add($"apphost: {name}: '{path}' does not exist: expected a file, a folder or a glob");
    return path;
}

string FolderPath(string name)
{
    var path = FullPath(name);
    if (problems.Count > 0 || builder.ExecutionContext.IsPublishMode)
        return path;
    try
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
    catch (Exception error) when (error is IOException or UnauthorizedAccessException)
    {
        problems.Add($"apphost: {name}: '{path}' cannot be made: {error.Message}");
    }
    return path;
}
