using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Http;

/// <summary>Every error that the gateway answers: kind, status and title in one table, the detail by the caller.</summary>
internal static class Problems
{
    private const string Kind = "urn:telemetry:problem:";

    /// <summary>A parameter that cannot be read, is out of range, unknown or contradicts another.</summary>
    public static ProblemException InvalidParameter(string parameter, string detail) =>
        new(Make("invalid-parameter", "Invalid parameter", StatusCodes.Status400BadRequest, $"{parameter}: {detail}") with { Parameter = parameter });

    /// <summary>A host that the store has never seen.</summary>
    public static ProblemException UnknownHost(string hostId) =>
        new(Make("unknown-host", "Unknown host", StatusCodes.Status404NotFound,
            $"host_id: no record of host '{UserInput.Printable(hostId)}' is stored; /api/v1/telemetry/hosts lists the hosts") with
        { Parameter = "host_id" });

    /// <summary>A GPU that the store has never seen on a host that it has.</summary>
    public static ProblemException UnknownGpu(string hostId, string gpuId) =>
        new(Make("unknown-gpu", "Unknown GPU", StatusCodes.Status404NotFound,
            $"gpu_id: no record of GPU '{UserInput.Printable(gpuId)}' of host '{UserInput.Printable(hostId)}' is stored; /api/v1/telemetry/hosts/{{host_id}}/gpus lists its GPUs") with
        { Parameter = "gpu_id" });

    /// <summary>A consumer group that the queue does not have.</summary>
    public static ProblemException UnknownGroup(string group) =>
        new(Make("unknown-group", "Unknown group", StatusCodes.Status404NotFound,
            $"group: the queue has no consumer group '{UserInput.Printable(group)}'; /api/v1/pipeline lists the groups") with
        { Parameter = "group" });

    /// <summary>A path that is no route.</summary>
    public static Problem UnknownRoute(string path) =>
        Make("unknown-route", "Unknown route", StatusCodes.Status404NotFound, $"there is nothing at '{UserInput.Printable(path)}'; /swagger/index.html lists the routes");

    /// <summary>A method that the route does not have.</summary>
    public static Problem MethodNotAllowed(string method, string allowed) =>
        Make("method-not-allowed", "Method not allowed", StatusCodes.Status405MethodNotAllowed, $"{UserInput.Printable(method)} is not possible here; possible: {allowed}");

    /// <summary>A request with a body: no route takes one.</summary>
    public static ProblemException UnsupportedMediaType() =>
        new(Make("unsupported-media-type", "Unsupported media type", StatusCodes.Status415UnsupportedMediaType,
            "the routes take no request body of any type: send the parameters in the query"));

    /// <summary>An address that asks too often.</summary>
    public static Problem TooManyRequests(int retryAfterSeconds) =>
        Make("too-many-requests", "Too many requests", StatusCodes.Status429TooManyRequests,
            $"this address asks more often than the gateway allows; try again in {retryAfterSeconds} s");

    /// <summary>An address, or all of them, that have as many long answers under way as the gateway allows.</summary>
    public static Problem TooManyStreams(string path, int retryAfterSeconds) =>
        Make("too-many-requests", "Too many requests", StatusCodes.Status429TooManyRequests,
            $"as many answers of {path} are under way as the gateway allows at a time; close one, or try again in {retryAfterSeconds} s");

    /// <summary>A defect of the gateway or a store that cannot be read.</summary>
    public static Problem Internal(string? traceId) =>
        Make("internal-error", "Internal error", StatusCodes.Status500InternalServerError,
            "the gateway could not answer; its log says why") with
        { TraceId = traceId };

    /// <summary>A query that took longer than it may.</summary>
    public static Problem Timeout(TimeSpan limit) =>
        Make("query-timeout", "The query took too long", StatusCodes.Status503ServiceUnavailable,
            $"the query was stopped after {limit.TotalSeconds:0.###} s: ask for a shorter range, fewer metrics or one host");

    /// <summary>A store that cannot be read: for the moment, or until someone mends it.</summary>
    public static Problem StoreUnavailable(bool transient) =>
        Make("store-unavailable", "The store is not available", StatusCodes.Status503ServiceUnavailable,
            transient ? "the store cannot be read just now; try again" : "the store cannot be read; the gateway's log says why");

    /// <summary>An error of the server itself, such as a request line that makes no sense.</summary>
    public static Problem Other(int status) =>
        Make("request-refused", "Request refused", status, $"the request cannot be answered (status {status})");

    private static Problem Make(string kind, string title, int status, string detail) =>
        new() { Type = Kind + kind, Title = title, Status = status, Detail = detail };
}
