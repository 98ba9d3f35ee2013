using System.Buffers;
using System.IO.Hashing;
using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

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
    public static Task WriteAsync<T>(HttpResponse response, int status, string mediaType, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        WriteAsync(response, status, mediaType, value, type, null, cancellationToken);

    /// <summary>Writes an answer that changes rarely, with an ETag; only 304 where the client has it.</summary>
    /// <param name="response">The response.</param>
    /// <param name="value">The answer.</param>
    /// <param name="type">Its type.</param>
    /// <param name="ifNoneMatch">What the client has.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static Task WriteTaggedAsync<T>(HttpResponse response, T value, JsonTypeInfo<T> type, StringValues ifNoneMatch, CancellationToken cancellationToken) =>
        WriteAsync(response, StatusCodes.Status200OK, "application/json", value, type, ifNoneMatch, cancellationToken);

    private static async Task WriteAsync<T>(
        HttpResponse response, int status, string mediaType, T value, JsonTypeInfo<T> type, StringValues? ifNoneMatch, CancellationToken cancellationToken)
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
            if (ifNoneMatch is { } known)
            {
                var tag = Tag(body.Buffer);
                response.Headers.ETag = tag;
                response.Headers.CacheControl = "no-cache";
                if (EntityTagHeaderValue.TryParseList(known, out var tags) && tags.Any(t => t.Tag == "*" || t.Compare(EntityTagHeaderValue.Parse(tag), useStrongComparison: false)))
                {
                    response.StatusCode = StatusCodes.Status304NotModified;
                    return;
                }
            }
            else
            {
                response.Headers.CacheControl = "no-store";
            }
            response.ContentType = mediaType;
            response.ContentLength = body.Buffer.Length;
            foreach (var segment in body.Buffer)
                await response.Body.WriteAsync(segment, cancellationToken);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
        }
    }

    // Weak: the same answer may be sent compressed or not.
    private static string Tag(in ReadOnlySequence<byte> body)
    {
        var hash = new XxHash3();
        foreach (var segment in body)
            hash.Append(segment.Span);
        return $"W/\"{hash.GetCurrentHashAsUInt64():x16}\"";
    }
}
