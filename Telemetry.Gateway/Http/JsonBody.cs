using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Telemetry.Gateway.Http;

/// <summary>
/// Writes JSON answers. An answer is serialized into pooled memory first: so its length is known (for HEAD, and to compress
/// only what is worth it), and a failure is still an honest 500.
/// </summary>
internal static class JsonBody
{
    // Answers are application/json with nosniff and are not put into pages, so text stays as it is, for people to read.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes status, headers and body.</summary>
    public static async Task WriteAsync<T>(HttpResponse response, int status, string mediaType, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 16 * 1024, useSynchronizationContext: false));
        try
        {
            await using (var json = new Utf8JsonWriter(pipe.Writer, Options))
            {
                JsonSerializer.Serialize(json, value, type);
            }
            await pipe.Writer.CompleteAsync();
            var body = await pipe.Reader.ReadAtLeastAsync(int.MaxValue, cancellationToken);
            response.StatusCode = status;
            response.ContentType = mediaType;
            response.ContentLength = body.Buffer.Length;
            response.Headers.CacheControl = "no-store";
            foreach (var segment in body.Buffer)
                await response.Body.WriteAsync(segment, cancellationToken);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
        }
    }
}
