using System.Globalization;
using Grpc.Core;
using Telemetry.Benchmarks.Processes;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Distributed;

/// <summary>Services as processes without a host around them, in a temporary folder: a test starts, stops and kills each of them.</summary>
internal sealed class ProcessRun : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5) + Chance.Longer;

    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-processes-");

    /// <param name="csvRows">Rows of a file that is made for the streamers; 0: none.</param>
    /// <param name="brokerFlags">What the broker gets besides a folder for its log.</param>
    public ProcessRun(long csvRows, params IEnumerable<string> brokerFlags)
    {
        _deadline.CancelAfter(Deadline);
        CsvFile = Path.Combine(_folder.FullName, "fleet.csv");
        if (csvRows > 0)
            FleetFile.Write(CsvFile, csvRows);
        LogFolder = Path.Combine(_folder.FullName, "broker");
        Services = new PipelineProcesses(new PipelineSetup
        {
            Folder = _folder.FullName,
            CsvFile = CsvFile,
            BrokerFlags = ["--data-path", LogFolder, .. brokerFlags],
        });
        Connection = new QueueConnection(Services.QueueAddress);
    }

    public string CsvFile { get; }

    public string LogFolder { get; }

    public PipelineProcesses Services { get; }

    public QueueConnection Connection { get; }

    public CancellationToken Cancellation => _deadline.Token;

    /// <summary>Starts a broker and waits until it takes calls.</summary>
    public async Task<ServiceProcess> BrokerAsync()
    {
        var broker = Services.StartBroker();
        await broker.WaitForLineAsync("broker started", Cancellation);
        await Connection.WaitUntilReachableAsync(null, Cancellation);
        return broker;
    }

    /// <summary>Kills (-9) processes, and waits until they are gone.</summary>
    public async Task KillAsync(params IEnumerable<ServiceProcess> processes)
    {
        var victims = processes.ToList();
        foreach (var victim in victims)
            victim.Send(Signal.Kill);
        foreach (var victim in victims)
            await victim.WaitForExitAsync(Cancellation);
    }

    /// <summary>Stops processes in order, and waits until they have ended well.</summary>
    public async Task StopAsync(params IEnumerable<ServiceProcess> processes)
    {
        foreach (var process in processes)
        {
            process.Send(Signal.Term);
            await EndsWellAsync(process);
        }
    }

    /// <summary>Waits until a process has ended by itself with 0.</summary>
    public async Task EndsWellAsync(ServiceProcess process) =>
        Assert.True(await process.WaitForExitAsync(Cancellation) == 0, $"{process.Name} ended otherwise:\n{process.Tail()}");

    public Task<long> RowsAsync() => StoreContents.RowsAsync(Services.DatabasePath, Cancellation);

    /// <summary>A group as the broker has it; null while there is none.</summary>
    public async Task<GroupDescription?> GroupAsync(Func<GroupDescription, bool> isIt)
    {
        var groups = await Connection.Admin.ListGroupsAsync(new ListGroupsRequest(), cancellationToken: Cancellation);
        return groups.Groups.FirstOrDefault(isIt);
    }

    /// <summary>Waits for a condition of the outside world, which has no signal to wait for; fails with every process's last lines.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        try
        {
            while (!await condition())
                await timer.WaitForNextTickAsync(Cancellation);
        }
        catch (Exception error) when (error is OperationCanceledException or RpcException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"waited in vain for: {what} ({error.Message})\n{string.Join("\n\n", Services.Processes.TakeLast(8).Select(process => $"{process.Name} {process.Id}\n{process.Tail()}"))}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await Services.DisposeAsync();
        _deadline.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}

/// <summary>What a test of kills does by chance. A failed test's output has the seed; the variables repeat it alone, or make it longer.</summary>
internal sealed class Chance
{
    private const string SeedVariable = "KILL_SEED";
    private const string RoundsVariable = "KILL_ROUNDS";

    /// <param name="rounds">How many rounds, unless the variable says otherwise.</param>
    public Chance(int rounds)
    {
        var seed = Number(SeedVariable) ?? Random.Shared.Next();
        Rounds = Number(RoundsVariable) ?? rounds;
        Random = new Random(seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"again: {SeedVariable}={seed} {RoundsVariable}={Rounds}");
    }

    /// <summary>What the variable adds to the time that a test may take.</summary>
    public static TimeSpan Longer => TimeSpan.FromSeconds(20) * (Number(RoundsVariable) ?? 0);

    public int Rounds { get; }

    public Random Random { get; }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
