using Telemetry.Broker.Groups;
using Telemetry.Broker.Log;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

/// <summary>Checks the form of requests, before anything is done for them. Messages name the field.</summary>
internal static class Requests
{
    /// <summary>A publish as the core takes it; the payload is not copied.</summary>
    /// <exception cref="BrokerException">A field makes no sense.</exception>
    public static PublishBatch Batch(PublishRequest request)
    {
        if (request.Batch.Length == 0)
            throw BrokerException.Invalid("batch: is empty");
        if (request.Batch.Length > BrokerLimits.BatchBytesMax)
            throw new BrokerException(ErrorCode.BatchTooLarge, $"the batch has {request.Batch.Length} bytes; a batch may have {BrokerLimits.BatchBytesMax}: split it");
        if (request.RecordCount <= 0)
            throw BrokerException.Invalid($"record_count: {request.RecordCount} is not accepted: expected 1 or more");
        if (request.SourcePosition.Length > BrokerLimits.SourcePositionBytesMax)
            throw BrokerException.Invalid($"source_position: has {request.SourcePosition.Length} bytes; at most {BrokerLimits.SourcePositionBytesMax} are accepted");
        if (request.ProducerId.Length == 0)
        {
            return request.SourcePosition.Length == 0
                ? new PublishBatch(request.Batch.Memory, request.RecordCount)
                : throw BrokerException.Invalid("source_position: needs a producer_id");
        }
        if (request.BaseSequence < 0 || request.BaseSequence > long.MaxValue - int.MaxValue)
            throw BrokerException.Invalid($"base_sequence: {request.BaseSequence} is not accepted: expected 0 or more");
        return new PublishBatch(
            request.Batch.Memory, request.RecordCount, request.ProducerId, request.ProducerEpoch, request.BaseSequence, request.SourcePosition.Memory);
    }

    /// <summary>How long a publish waits for room.</summary>
    /// <exception cref="BrokerException">It is out of range.</exception>
    public static TimeSpan Wait(PublishRequest request)
    {
        var wait = TimeSpan.FromMilliseconds(request.WaitMs);
        return wait >= TimeSpan.Zero && wait <= BrokerLimits.WaitMax
            ? wait
            : throw BrokerException.Invalid($"wait_ms: {request.WaitMs} is not accepted: expected 0 to {BrokerLimits.WaitMax.TotalMilliseconds:0}");
    }

    /// <summary>Where a fetch begins.</summary>
    /// <exception cref="BrokerException">A field makes no sense.</exception>
    public static ReadFrom From(FetchStart start)
    {
        if (start.CreditBytes < 0)
            throw BrokerException.Invalid($"start.credit_bytes: {start.CreditBytes} is not accepted: expected 0 or more");
        var expected = start.ExpectedLog.ToIdentity("start.expected_log");
        return start.FromCase switch
        {
            FetchStart.FromOneofCase.Offset => start.Offset >= 0
                ? new ReadFrom.Offset(start.Offset, expected)
                : throw BrokerException.Invalid($"start.offset: {start.Offset} is not accepted: expected 0 or more"),
            FetchStart.FromOneofCase.AppendTimeUnixMs => new ReadFrom.AppendTime(start.AppendTimeUnixMs),
            FetchStart.FromOneofCase.Earliest => new ReadFrom.Earliest(),
            FetchStart.FromOneofCase.Latest => new ReadFrom.Latest(),
            _ => throw BrokerException.Invalid("start.from: is missing: expected offset, append_time_unix_ms, earliest or latest"),
        };
    }

    /// <summary>Where offsets are reset to.</summary>
    /// <exception cref="BrokerException">A field makes no sense.</exception>
    public static ReadFrom To(ResetOffsetsRequest request) => request.ToCase switch
    {
        ResetOffsetsRequest.ToOneofCase.Offset => request.Offset >= 0
            ? new ReadFrom.Offset(request.Offset, null)
            : throw BrokerException.Invalid($"offset: {request.Offset} is not accepted: expected 0 or more"),
        ResetOffsetsRequest.ToOneofCase.AppendTimeUnixMs => new ReadFrom.AppendTime(request.AppendTimeUnixMs),
        ResetOffsetsRequest.ToOneofCase.Earliest => new ReadFrom.Earliest(),
        ResetOffsetsRequest.ToOneofCase.Latest => new ReadFrom.Latest(),
        _ => throw BrokerException.Invalid("to: is missing: expected offset, append_time_unix_ms, committed_at_unix_ms, earliest or latest"),
    };

    /// <summary>When that was committed to which offsets are reset.</summary>
    /// <exception cref="BrokerException">No calendar has that time.</exception>
    public static long CommittedAtUnixMs(ResetOffsetsRequest request) => request.CommittedAtUnixMs is >= 0 and <= RecordBatchLimits.TimeUnixMsMax
        ? request.CommittedAtUnixMs
        : throw BrokerException.Invalid($"committed_at_unix_ms: {request.CommittedAtUnixMs} is not accepted: expected 0 to {RecordBatchLimits.TimeUnixMsMax}");

    /// <summary>How much history of a group is asked for, in milliseconds; 0: none.</summary>
    /// <exception cref="BrokerException">It is negative.</exception>
    public static long HistoryMs(DescribeGroupRequest request) => request.HistoryMs >= 0
        ? request.HistoryMs
        : throw BrokerException.Invalid($"history_ms: {request.HistoryMs} is not accepted: expected 0 or more");

    /// <summary>How much history of a group's lag is asked for, and in which steps, in milliseconds; 0: none, and the finest.</summary>
    /// <exception cref="BrokerException">One of them is negative.</exception>
    public static (long LastMs, long StepMs) LagHistory(DescribeGroupRequest request)
    {
        if (request.LagHistoryMs < 0)
            throw BrokerException.Invalid($"lag_history_ms: {request.LagHistoryMs} is not accepted: expected 0 or more");
        return request.LagStepMs >= 0
            ? (request.LagHistoryMs, request.LagStepMs)
            : throw BrokerException.Invalid($"lag_step_ms: {request.LagStepMs} is not accepted: expected 0 or more");
    }

    /// <summary>How a member takes part.</summary>
    /// <exception cref="BrokerException">A field makes no sense.</exception>
    public static MemberOptions Member(JoinGroup join) => new(
        join.MemberId.Length == 0 ? "" : Names.Member(join.MemberId),
        Timeout("session_timeout_ms", join.SessionTimeoutMs),
        Timeout("rebalance_timeout_ms", join.RebalanceTimeoutMs),
        Names.Client(join.Client));

    /// <summary>How many batches a peek returns.</summary>
    /// <exception cref="BrokerException">It is out of range.</exception>
    public static int PeekBatches(PeekRequest request) => request.BatchesMax switch
    {
        0 => 1,
        > 0 and <= 100 => request.BatchesMax,
        _ => throw BrokerException.Invalid($"batches_max: {request.BatchesMax} is not accepted: expected 0 to 100"),
    };

    private static TimeSpan Timeout(string field, int milliseconds)
    {
        if (milliseconds == 0)
            return BrokerLimits.TimeoutDefault;
        var timeout = TimeSpan.FromMilliseconds(milliseconds);
        return timeout >= BrokerLimits.TimeoutMin && timeout <= BrokerLimits.TimeoutMax
            ? timeout
            : throw BrokerException.Invalid($"{field}: {milliseconds} is not accepted: expected {BrokerLimits.TimeoutMin.TotalMilliseconds:0} to {BrokerLimits.TimeoutMax.TotalMilliseconds:0}, or 0 for {BrokerLimits.TimeoutDefault.TotalMilliseconds:0}");
    }
}
