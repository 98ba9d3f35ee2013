using Google.Protobuf;
using Microsoft.Data.Sqlite;
using Telemetry.Messaging.V1;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway.Commands;

/// <summary>A store, and a queue of which its collectors have read all but five records, for <c>doctor</c> to look at.</summary>
public abstract class DoctorFixture : IDisposable
{
    private StoreFile? _store;

    /// <summary>The store; its clock is <see cref="Time"/> as it is when the store is first asked for.</summary>
    internal StoreFile Store => _store ??= new StoreFile(Time);

    /// <summary>The clock of collectors; the system's if null.</summary>
    protected TimeProvider? Time { get; set; }

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store?.Dispose();
        GC.SuppressFinalize(this);
    }

    internal Task<GatewayRun> RunAsync(params string[] args) =>
        GatewayRun.OfAsync(new Dictionary<string, string> { ["DATABASE_PATH"] = Store.Path, ["PORT"] = "0" }, ["doctor", .. args]);

    internal static TelemetryRow Record(double second, string host = "node-a", string gpu = "0") =>
        FleetFixture.Record(DateTimeOffset.UtcNow.AddSeconds(second), FleetFixture.Busy with { HostId = host, GpuId = gpu }, ("power_w", 1));

    /// <summary>Writes a record for each of the last seconds.</summary>
    internal void Write(int rows) => Store.Write([.. Enumerable.Range(0, rows).Select(i => Record(i - rows))]);

    internal void Damage(string sql)
    {
        Store.Open().EmptyLog(TimeSpan.FromSeconds(5));
        using var connection = new SqliteConnection($"Data Source={Store.Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>A queue with as many records as the store has, and five more.</summary>
    internal async Task<FakeQueue> QueueAsync(int records = 95)
    {
        var queue = await FakeQueue.StartAsync();
        queue.Topics.Topics.Add(new TopicDescription
        {
            Topic = "telemetry",
            TopicId = ByteString.CopyFrom(Store.TopicId.ToByteArray(bigEndian: true)),
            Partitions = { new PartitionDescription { Partition = 0, LogStartOffset = 10, HighWatermark = records + 5, LogEndOffset = records + 5 } },
        });
        queue.Groups.Groups.Add(Group(records));
        return queue;
    }

    internal static GroupDescription Group(int committed = 95) => new()
    {
        Group = "collectors",
        Topic = "telemetry",
        Members = { new MemberDescription { MemberId = "m-1", Client = "here" } },
        Shards = { new ShardDescription { Shard = 0, MemberId = "m-1", CommittedOffset = committed, LagRecords = 5, LagSeconds = 0.2 } },
    };
}
