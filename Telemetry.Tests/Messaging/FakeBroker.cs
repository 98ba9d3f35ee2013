using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults;

namespace Telemetry.Tests.Messaging;

/// <summary>
/// A queue on real Kestrel at a free port of 127.0.0.1. It appends publishes by the rules of the contract, unless a test says
/// otherwise; fetches and memberships are handed to the test stream by stream.
/// </summary>
internal sealed class FakeBroker : IAsyncDisposable
{
    private readonly Channel<FakeStream<FetchRequest, FetchResponse>> _fetches = Channel.CreateUnbounded<FakeStream<FetchRequest, FetchResponse>>();
    private readonly Channel<FakeStream<MemberMessage, CoordinatorMessage>> _joins = Channel.CreateUnbounded<FakeStream<MemberMessage, CoordinatorMessage>>();
    private WebApplication? _app;

    public FakeLog Log { get; private set; } = new(partitions: 4);

    /// <summary>Answers a publish in the place of the log; null lets the log answer.</summary>
    public Func<PublishRequest, PublishResponse?> OnPublish { get; set; } = _ => null;

    /// <summary>Runs after a publish was handled and before its answer is sent.</summary>
    public Func<PublishRequest, PublishResponse, Task> BeforeAnswer { get; set; } = (_, _) => Task.CompletedTask;

    public Func<CommitRequest, CommitResponse> OnCommit { get; set; } = request =>
        new CommitResponse { Results = { request.Offsets.Select(offset => new CommitResult { Shard = offset.Shard }) } };

    public Func<OpenProducerRequest, OpenProducerResponse>? OnOpen { get; set; }

    /// <summary>Every publish that arrived, refused ones too.</summary>
    public ConcurrentQueue<PublishRequest> Published { get; } = new();

    public ConcurrentQueue<CommitRequest> Commits { get; } = new();

    /// <summary>The messages on publish streams.</summary>
    public ConcurrentQueue<PublishRequests> Messages { get; } = new();

    public int Opened { get; private set; }

    public int PublishStreams { get; private set; }

    public int Port { get; private set; }

    public string Address => $"127.0.0.1:{Port}";

    public static async Task<FakeBroker> StartAsync(int port = 0)
    {
        var broker = new FakeBroker { Port = port };
        await broker.StartAgainAsync();
        return broker;
    }

    /// <summary>Listens (again) on the same port.</summary>
    public async Task StartAgainAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = QueueConnection.SendBytesMax;
            options.MaxSendMessageSize = QueueConnection.ReceiveBytesMax;
        });
        builder.Services.AddSingleton(this);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Port, listen => listen.Protocols = HttpProtocols.Http2));
        _app = builder.Build();
        _app.MapGrpcService<QueueService>();
        _app.MapGrpcService<AdminService>();
        await _app.StartAsync();
        Port = _app.BoundAddresses()[0].Port;
    }

    /// <summary>Breaks every connection and stops listening.</summary>
    public async Task StopAsync()
    {
        if (_app is null)
            return;
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        _app = null;
    }

    /// <summary>A broker without a disk that was restarted: the topic is new, and nobody is known.</summary>
    public void LoseLog() => Log = new FakeLog(partitions: 4);

    public async Task<FakeStream<FetchRequest, FetchResponse>> NextFetchAsync() => await _fetches.Reader.ReadAsync(Wait.Token);

    public async Task<FakeStream<MemberMessage, CoordinatorMessage>> NextJoinAsync() => await _joins.Reader.ReadAsync(Wait.Token);

    public async ValueTask DisposeAsync() => await StopAsync();

    public static PublishResponse Refuse(ErrorCode error, int retryAfterMs = 0) =>
        new() { Error = error, Message = $"refused: {error}", RetryAfterMs = retryAfterMs };

    public static RpcException Status(StatusCode status, ErrorCode error) =>
        new(new Status(status, $"refused: {error}"), new Metadata { { "queue-error", string.Concat(error.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : $"{char.ToUpperInvariant(c)}")) } });

    private sealed class QueueService(FakeBroker broker) : Queue.QueueBase
    {
        public override Task<OpenProducerResponse> OpenProducer(OpenProducerRequest request, ServerCallContext context)
        {
            broker.Opened++;
            return Task.FromResult(broker.OnOpen?.Invoke(request) ?? broker.Log.Open(request.ProducerId));
        }

        public override async Task PublishStream(IAsyncStreamReader<PublishRequests> requests, IServerStreamWriter<PublishResponses> answers, ServerCallContext context)
        {
            broker.PublishStreams++;
            try
            {
                var answering = Task.CompletedTask;
                PublishRequest? before = null;
                while (await requests.MoveNext(context.CancellationToken))
                {
                    broker.Messages.Enqueue(requests.Current);
                    foreach (var request in requests.Current.Publishes)
                    {
                        if (request.Topic.Length == 0 && before is not null)
                            (request.Topic, request.ProducerId, request.ProducerEpoch) = (before.Topic, before.ProducerId, before.ProducerEpoch);
                        before = request;
                        broker.Published.Enqueue(request);
                        var answer = broker.OnPublish(request) ?? broker.Log.Append(request);
                        // Answers in the order of the requests, and requests are read on meanwhile: pipelined.
                        answering = AnswerAsync(answering, request, answer);
                    }
                }
                await answering;
            }
            catch (Exception error) when (error is IOException or OperationCanceledException)
            {
                // The client is gone.
            }

            async Task AnswerAsync(Task before, PublishRequest request, PublishResponse answer)
            {
                await before;
                try
                {
                    await broker.BeforeAnswer(request, answer);
                }
                catch (ConnectionLost)
                {
                    context.GetHttpContext().Abort();
                }
                await answers.WriteAsync(new PublishResponses { Answers = { answer } });
            }
        }

        public override Task Fetch(IAsyncStreamReader<FetchRequest> requests, IServerStreamWriter<FetchResponse> responses, ServerCallContext context) =>
            ServeAsync(broker._fetches.Writer, new FakeStream<FetchRequest, FetchResponse>(requests, responses, context));

        public override Task Join(IAsyncStreamReader<MemberMessage> requests, IServerStreamWriter<CoordinatorMessage> responses, ServerCallContext context) =>
            ServeAsync(broker._joins.Writer, new FakeStream<MemberMessage, CoordinatorMessage>(requests, responses, context));

        public override Task<CommitResponse> Commit(CommitRequest request, ServerCallContext context)
        {
            broker.Commits.Enqueue(request);
            return Task.FromResult(broker.OnCommit(request));
        }

        private static async Task ServeAsync<TIn, TOut>(ChannelWriter<FakeStream<TIn, TOut>> streams, FakeStream<TIn, TOut> stream)
        {
            await streams.WriteAsync(stream);
            await await Task.WhenAny(stream.Ended, stream.ClientGone);
        }
    }

    private sealed class AdminService : QueueAdmin.QueueAdminBase
    {
        public override Task<ListTopicsResponse> ListTopics(ListTopicsRequest request, ServerCallContext context) => Task.FromResult(new ListTopicsResponse());
    }
}

/// <summary>Thrown by a script to break the connection in the place of an answer.</summary>
internal sealed class ConnectionLost : Exception;

/// <summary>One stream of a client, as the test answers it.</summary>
internal sealed class FakeStream<TIn, TOut>(IAsyncStreamReader<TIn> requests, IServerStreamWriter<TOut> responses, ServerCallContext context)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Ended => _ended.Task;

    /// <summary>Ends when the client has cancelled its call or its connection is gone.</summary>
    public Task ClientGone { get; } = Gone(context.CancellationToken);

    /// <summary>The client's next message; fails when it has ended the stream.</summary>
    public async Task<TIn> ReadAsync() =>
        await requests.MoveNext(Wait.Token) ? requests.Current : throw new EndOfStreamException("the client sends nothing more");

    public Task SendAsync(TOut response) => responses.WriteAsync(response);

    /// <summary>Ends the stream in good order.</summary>
    public void End() => _ended.TrySetResult();

    /// <summary>Ends it with a status.</summary>
    public void Fail(RpcException status) => _ended.TrySetException(status);

    /// <summary>Resets it in the middle.</summary>
    public void Break()
    {
        context.GetHttpContext().Abort();
        _ended.TrySetResult();
    }

    private static async Task Gone(CancellationToken token)
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(() => gone.TrySetResult());
        await gone.Task;
    }
}

/// <summary>The log of a topic by the contract's rules: dense offsets, idempotent producers.</summary>
internal sealed class FakeLog(int partitions)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _epochs = [];
    private readonly Dictionary<(string, int), long> _next = [];
    private readonly List<PublishRequest>[] _batches = [.. Enumerable.Range(0, partitions).Select(_ => new List<PublishRequest>())];

    public LogId Id { get; } = new() { TopicId = ByteString.CopyFrom(Guid.NewGuid().ToByteArray()), LogEpoch = 1 };

    public int BatchBytesMax { get; set; } = 4 * 1024 * 1024;

    public int BatchRecordsMax { get; set; } = 65_536;

    public IReadOnlyList<PublishRequest> Batches(int partition)
    {
        lock (_gate)
            return [.. _batches[partition]];
    }

    public OpenProducerResponse Open(string producerId)
    {
        lock (_gate)
        {
            _epochs[producerId] = _epochs.GetValueOrDefault(producerId) + 1;
            var response = new OpenProducerResponse { ProducerEpoch = _epochs[producerId], BatchBytesMax = BatchBytesMax, BatchRecordsMax = BatchRecordsMax };
            for (var partition = 0; partition < partitions; partition++)
            {
                var last = _batches[partition].LastOrDefault(batch => batch.ProducerId == producerId && !batch.SourcePosition.IsEmpty);
                response.Partitions.Add(new ProducerPartition
                {
                    Partition = partition,
                    Log = Id,
                    NextSequence = _next.GetValueOrDefault((producerId, partition)),
                    SourcePosition = last?.SourcePosition ?? ByteString.Empty,
                    PositionSequence = last is null ? 0 : last.BaseSequence + last.RecordCount,
                });
            }
            return response;
        }
    }

    public PublishResponse Append(PublishRequest request)
    {
        lock (_gate)
        {
            if (!_epochs.TryGetValue(request.ProducerId, out var epoch))
                return FakeBroker.Refuse(ErrorCode.UnknownProducer);
            if (request.ProducerEpoch < epoch)
                return FakeBroker.Refuse(ErrorCode.ProducerFenced);
            if (request.Batch.Length > BatchBytesMax || request.RecordCount > BatchRecordsMax)
                return FakeBroker.Refuse(ErrorCode.BatchTooLarge);
            var next = _next.GetValueOrDefault((request.ProducerId, request.Partition));
            if (request.BaseSequence + request.RecordCount <= next)
                return new PublishResponse { BaseOffset = request.BaseSequence, Duplicate = true, Log = Id };
            if (request.BaseSequence != next)
                return FakeBroker.Refuse(ErrorCode.OutOfOrderSequence);
            var offset = _batches[request.Partition].Sum(batch => (long)batch.RecordCount);
            _batches[request.Partition].Add(request);
            _next[(request.ProducerId, request.Partition)] = next + request.RecordCount;
            return new PublishResponse { BaseOffset = offset, Log = Id };
        }
    }
}
