using Grpc.Core;
using Telemetry.Broker.Groups;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

// Membership: one task reads what the member says, the other tells it what the coordinator decides.
internal sealed partial class QueueService
{
    public override async Task Join(
        IAsyncStreamReader<MemberMessage> requestStream, IServerStreamWriter<CoordinatorMessage> responseStream, ServerCallContext context)
    {
        core.ThrowIfStopping();
        if (!await requestStream.MoveNext(context.CancellationToken))
            return;
        if (requestStream.Current.KindCase != MemberMessage.KindOneofCase.Join)
            throw BrokerException.Invalid("join: is missing: it has to come first");
        var join = requestStream.Current.Join;
        var session = core.Groups.Join(join.Group, join.Topic, join.Shards, Requests.Member(join));
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, core.Stopping);
            var telling = TellAsync(session, responseStream, ending.Token);
            var hearing = HearAsync(session, requestStream, ending.Token);
            await EndTogether(telling, hearing, ending);
        }
        finally
        {
            session.Detach();
        }
    }

    private static async Task TellAsync(MemberSession session, IServerStreamWriter<CoordinatorMessage> responseStream, CancellationToken cancellationToken)
    {
        await foreach (var next in session.EventsAsync(cancellationToken))
            await responseStream.WriteAsync(next.ToMessage(), cancellationToken);
    }

    /// <summary>Ends when the member leaves or closes its side; without a leave it stays in the group until its session is over.</summary>
    private static async Task HearAsync(MemberSession session, IAsyncStreamReader<MemberMessage> requestStream, CancellationToken cancellationToken)
    {
        while (await requestStream.MoveNext(cancellationToken))
        {
            var message = requestStream.Current;
            switch (message.KindCase)
            {
                case MemberMessage.KindOneofCase.Heartbeat:
                    session.Heartbeat();
                    break;
                case MemberMessage.KindOneofCase.Revoked:
                    session.Release(message.Revoked.Shards);
                    break;
                case MemberMessage.KindOneofCase.Finished:
                    session.Finish(message.Finished.Shards);
                    break;
                case MemberMessage.KindOneofCase.Leave:
                    session.Leave();
                    return;
                case MemberMessage.KindOneofCase.Join:
                    throw BrokerException.Invalid("join: came twice; a stream is one membership");
                default:
                    throw BrokerException.Invalid("kind: is missing: expected heartbeat, revoked, finished or leave");
            }
        }
    }
}
