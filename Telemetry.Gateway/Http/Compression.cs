using System.IO.Compression;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;

namespace Telemetry.Gateway.Http;

/// <summary>Compresses answers with br or gzip where that saves more than it costs.</summary>
internal static class Compression
{
    /// <summary>Shorter answers fit into a packet or two anyway.</summary>
    public const int BytesMin = 1400;

    /// <summary>Adds what <c>UseResponseCompression</c> needs.</summary>
    public static void AddAnswerCompression(this IServiceCollection services)
    {
        services.AddResponseCompression(options =>
        {
            // No secrets stand beside user input in an answer, so compressing over TLS tells nothing.
            options.EnableForHttps = true;
            options.MimeTypes = [.. ResponseCompressionDefaults.MimeTypes, Problem.MediaType, "text/csv", "application/x-ndjson"];
        });
        services.Configure<BrotliCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest);
        services.Configure<GzipCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest);
        services.AddSingleton<IResponseCompressionProvider, LargeAnswers>();
    }

    private sealed class LargeAnswers(IServiceProvider services, IOptions<ResponseCompressionOptions> options)
        : ResponseCompressionProvider(services, options)
    {
        public override bool ShouldCompressResponse(HttpContext context) =>
            context.Response.ContentLength is null or >= BytesMin && base.ShouldCompressResponse(context);
    }
}
