using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;

namespace Telemetry.Gateway.Http;

/// <summary>
/// Bounds what one address may ask: requests in a time, and requests at the same time. Streams, which hold their place for
/// long, have places of their own.
/// </summary>
internal static class RateLimits
{
    /// <summary>Requests that wait for each one that is worked on.</summary>
    private const int QueuedPerPermit = 8;

    private readonly record struct Place(IPAddress Caller, StreamRoute? Stream);

    /// <summary>Adds the limits; a request beyond them is answered with 429 and Retry-After.</summary>
    public static void AddRateLimits(this IServiceCollection services, GatewayOptions options) => services.AddRateLimiter(limiter =>
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(Rate(options), Concurrency(options), Streams(options));
        limiter.OnRejected = async (rejected, _) =>
        {
            var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1);
            var seconds = (int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, 60);
            rejected.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            await ProblemMiddleware.WriteAsync(rejected.HttpContext, rejected.Lease.MetadataNames.Contains(MetadataName.RetryAfter.Name) || StreamOf(rejected.HttpContext) is not { } stream
                ? Problems.TooManyRequests(seconds)
                : Problems.TooManyStreams(stream.Path, seconds));
        };
    });

    private static PartitionedRateLimiter<HttpContext> Rate(GatewayOptions options) =>
        PartitionedRateLimiter.Create<HttpContext, IPAddress>(http => RateLimitPartition.GetTokenBucketLimiter(Caller(http), _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = options.RequestBurstMax,
            TokensPerPeriod = options.RequestsPerSecondMax,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        }));

    private static PartitionedRateLimiter<HttpContext> Concurrency(GatewayOptions options) =>
        PartitionedRateLimiter.Create<HttpContext, Place>(http =>
            RateLimitPartition.GetConcurrencyLimiter(new Place(Caller(http), StreamOf(http)), place => new ConcurrencyLimiterOptions
            {
                PermitLimit = place.Stream?.Bounds(options).AddressMax ?? options.ConcurrentRequestsMax,
                QueueLimit = place.Stream is null ? options.ConcurrentRequestsMax * QueuedPerPermit : 0,
            }));

    // Of all addresses together.
    private static PartitionedRateLimiter<HttpContext> Streams(GatewayOptions options) =>
        PartitionedRateLimiter.Create<HttpContext, string>(http => StreamOf(http) is { } stream
            ? RateLimitPartition.GetConcurrencyLimiter(stream.Path, _ => new ConcurrencyLimiterOptions { PermitLimit = stream.Bounds(options).Max })
            : RateLimitPartition.GetNoLimiter(""));

    private static StreamRoute? StreamOf(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<StreamRoute>();

    // An IPv6 user has a whole /64, so that is the address.
    private static IPAddress Caller(HttpContext http)
    {
        var address = http.Connection.RemoteIpAddress ?? IPAddress.None;
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || address.IsIPv4MappedToIPv6)
            return address;
        var bytes = address.GetAddressBytes();
        Array.Clear(bytes, 8, 8);
        return new IPAddress(bytes);
    }
}
