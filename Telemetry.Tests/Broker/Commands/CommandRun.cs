using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Telemetry.Broker;
using Telemetry.Broker.Commands;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Tests.Broker.Commands;

/// <summary>What a command wrote, and how it ended.</summary>
internal sealed record CommandRun(int Code, string Out, string Error)
{
    /// <summary>The one document that a command writes with <c>-o json</c>.</summary>
    public JsonElement Json
    {
        get
        {
            Assert.Equal((0, ""), (Code, Error));
            using var document = JsonDocument.Parse(Out);
            return document.RootElement.Clone();
        }
    }

    /// <summary>What was written, without the last line's end; nothing on standard error.</summary>
    public string Text
    {
        get
        {
            Assert.Equal((0, ""), (Code, Error));
            return Out.TrimEnd('\n');
        }
    }

    /// <summary>Why it failed: one line on standard error, and nothing else.</summary>
    public string Refusal(int code)
    {
        Assert.Equal((code, ""), (Code, Out));
        Assert.EndsWith("\n", Error, StringComparison.Ordinal);
        Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.DoesNotContain("Exception", Error, StringComparison.Ordinal);
        return Error.TrimEnd('\n');
    }

    public static async Task<CommandRun> OfAsync(string[] args, Func<string, string?>? environment = null, bool colours = false)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await AdminProgram.RunAsync(args, new CommandConsole(output, error, colours), environment ?? (_ => null));
        return new CommandRun(code, output.ToString(), error.ToString());
    }
}

/// <summary>A broker that commands can look into, and what there is to see.</summary>
internal static class CommandRuns
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A broker whose clock stands still at 2026-01-02T03:04:05Z.</summary>
    public static Task<RunningBroker> StartAsync(int partitions = 2) => RunningBroker.StartAsync(new BrokerOptions { MaxPartitions = partitions }, new JumpingTime());

    public static Task<CommandRun> RunAsync(this RunningBroker broker, params string[] args) =>
        CommandRun.OfAsync([.. args, "--address", broker.Address.Authority]);

    /// <summary>Publishes bytes that are no record batch.</summary>
    public static async Task PublishAsync(this RunningBroker broker, int records, int partition = 0, byte[]? batch = null, string topic = "telemetry") => await broker.Queue.PublishAsync(
        new PublishRequest { Topic = topic, Partition = partition, Batch = ByteString.CopyFrom(batch ?? [1, 2, 3]), RecordCount = records }, cancellationToken: Cancel);

    /// <summary>Publishes records.</summary>
    public static Task PublishAsync(this RunningBroker broker, params GpuSample[] samples)
    {
        var builder = new RecordBatchBuilder();
        foreach (var sample in samples)
            builder.Add(sample);
        return broker.PublishAsync(samples.Length, batch: builder.Build().ToArray());
    }

    /// <summary>A record at a second of 2026-01-02T00:00:00Z.</summary>
    public static GpuSample Sample(int second, string host = "node-1", params MetricValue[] values) =>
        new(DateTimeOffset.Parse("2026-01-02T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture).AddSeconds(second).ToUnixTimeMilliseconds(), new GpuIdentity(host, "7"), values);

    /// <summary>Joins a group; everything that it has is the member's.</summary>
    public static async Task<AsyncDuplexStreamingCall<MemberMessage, CoordinatorMessage>> JoinAsync(this RunningBroker broker, string group = "collectors", int shards = 0, string client = "host/1")
    {
        var member = broker.Queue.Join(cancellationToken: Cancel);
        var join = new JoinGroup { Group = group, Topic = "telemetry", Shards = shards, MemberId = "m1", Client = client };
        await member.RequestStream.WriteAsync(new MemberMessage { Join = join }, Cancel);
        await member.ResponseStream.Next();
        await member.ResponseStream.Next();
        return member;
    }

    public static async Task LeaveAsync(this AsyncDuplexStreamingCall<MemberMessage, CoordinatorMessage> member)
    {
        await member.RequestStream.WriteAsync(new MemberMessage { Leave = new LeaveGroup() }, Cancel);
        await member.ResponseStream.Ended();
        member.Dispose();
    }
}
