// The whole system: four services, their settings, and who needs whom. The same file runs on Aspire and on the embedded
// host (Telemetry.Hosting); neither this file nor the services know which one it is.
using System.Globalization;
using Microsoft.Extensions.Configuration.Memory;
using Telemetry.AppHost.Kubernetes;

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
builder.Configuration["BrokerFolder"] ??= Path.Combine(dataFolder, "broker");
// None keeps the queue in memory.
var brokerFolder = builder.Configuration["BrokerFolder"] is "" ? "" : FolderPath("BrokerFolder");
var publishing = builder.ExecutionContext.IsPublishMode;
if (problems.Count > 0)
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, problems));
    return 2;
}
var database = publishing ? "/data/telemetry.db" : Path.Combine(dataFolder, "telemetry.db");

// Endpoints are named, and their ports given in the services' own settings, so that no launch profile is needed. Replicas
// need ports of their own here; in a cluster every pod has the same.
var broker = builder.AddProject<Projects.Telemetry_Broker>("broker", launchProfileName: null)
    .WithHttpEndpoint(name: "http", targetPort: InCluster(8080), env: "METRICS_PORT")
    .WithHttpEndpoint(name: "grpc", targetPort: InCluster(8081), env: "PORT")
    .WithEndpoint("grpc", endpoint => endpoint.Transport = "http2")
    .WithEnvironment("DATA_PATH", publishing ? "/data" : brokerFolder)
    .WithHttpProbe(ProbeType.Readiness, "/health", endpointName: "http")
    .WithHttpProbe(ProbeType.Liveness, "/alive", endpointName: "http")
    .PublishAsKubernetesService(Chart.Broker);

var streamer = builder.AddProject<Projects.Telemetry_Streamer>("streamer", launchProfileName: null)
    .WithReplicas(streamers)
    .WithHttpEndpoint(name: "http", targetPort: InCluster(8080), env: "METRICS_PORT")
    .WithHttpProbe(ProbeType.Readiness, "/health", endpointName: "http")
    .WithHttpProbe(ProbeType.Liveness, "/alive", endpointName: "http")
    .WithEnvironment("CSV_FILE", publishing ? "/app/samples/telemetry.csv" : csvFile)
    .WithEnvironment("MESSAGEQUEUE_ADDR", broker.GetEndpoint("grpc"))
    .WithReference(broker)
    .WaitFor(broker)
    .PublishAsKubernetesService(Chart.Streamer);

var collector = builder.AddProject<Projects.Telemetry_Collector>("collector", launchProfileName: null)
    .WithReplicas(collectors)
    .WithHttpEndpoint(name: "http", targetPort: InCluster(8080), env: "METRICS_PORT")
    .WithHttpProbe(ProbeType.Readiness, "/health", endpointName: "http")
    .WithHttpProbe(ProbeType.Liveness, "/alive", endpointName: "http")
    .WithEnvironment("DATABASE_PATH", database)
    .WithEnvironment("MESSAGEQUEUE_ADDR", broker.GetEndpoint("grpc"))
    .WithReference(broker)
    .WaitFor(broker)
    .PublishAsKubernetesService(Chart.Collector);

var gateway = builder.AddProject<Projects.Telemetry_Gateway>("gateway", launchProfileName: null)
    .WithHttpEndpoint(name: "http", port: gatewayPort, targetPort: InCluster(8080), env: "PORT")
    .WithExternalHttpEndpoints()
    .WithHttpProbe(ProbeType.Readiness, "/health", endpointName: "http")
    .WithHttpProbe(ProbeType.Liveness, "/alive", endpointName: "http")
    .WithUrlForEndpoint("http", _ => new() { Url = "/swagger/index.html", DisplayText = "Swagger UI" })
    .WithEnvironment("DATABASE_PATH", database)
    .WithEnvironment("MESSAGEQUEUE_ADDR", broker.GetEndpoint("grpc"))
    .WithReference(broker)
    .WaitFor(broker)
    .PublishAsKubernetesService(Chart.Gateway);

Chart.Add(builder);

if (publishing)
{
    // Without this a service listens on its own machine only, which is its pod.
    foreach (var service in new[] { broker, streamer, collector, gateway })
        service.WithEnvironment("LISTEN_ADDRESS", "any");
}
else
{
    // A run on this machine is for looking at: data comes quickly. The name of the environment is not passed on by itself.
    streamer.WithEnvironment("STREAM_INTERVAL", "1s").WithEnvironment("BATCH_SIZE", "32");
    collector.WithEnvironment("POLL_INTERVAL", "500ms");
    gateway.WithUrl(new Uri(dataFolder).AbsoluteUri, "data folder");
    foreach (var service in new[] { broker, streamer, collector, gateway })
        service.WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.Environment.EnvironmentName);
}

await builder.Build().RunAsync();
return Environment.ExitCode;

int? InCluster(int port) => publishing ? port : null;

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
