using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Telemetry.Gateway.Dashboard;

/// <summary>
/// A file of the dashboard's page, which is part of the assembly. It is kept as it is and, once somebody asked for it so,
/// compressed; browsers keep it too and ask with its ETag whether it is still the same.
/// </summary>
internal sealed class DashboardFile
{
    private const string Prefix = "dashboard/";

    private readonly string _contentType;
    private readonly Body _plain;
    private readonly Lazy<Body> _brotli;
    private readonly Lazy<Body> _gzip;

    private DashboardFile(string name, byte[] bytes)
    {
        Name = name;
        _contentType = ContentTypeOf(name);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12));
        _plain = new Body(bytes, $"\"{hash}\"", null);
        _brotli = new Lazy<Body>(() => new Body(Compress(bytes, to => new BrotliStream(to, CompressionLevel.Optimal)), $"\"{hash}-br\"", "br"));
        _gzip = new Lazy<Body>(() => new Body(Compress(bytes, to => new GZipStream(to, CompressionLevel.Optimal)), $"\"{hash}-gzip\"", "gzip"));
    }

    /// <summary>All files by their path in the page's folder.</summary>
    public static IReadOnlyDictionary<string, DashboardFile> All { get; } = Load();

    /// <summary>Its path in the page's folder, with slashes.</summary>
    public string Name { get; }

    /// <summary>Answers GET or HEAD with the file, or with 304 where the browser has it.</summary>
    public async Task WriteAsync(HttpContext http)
    {
        var body = BodyFor(http.Request.Headers.AcceptEncoding);
        var headers = http.Response.Headers;
        headers.ETag = body.ETag;
        headers.CacheControl = "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        if (IsKnown(http.Request.Headers.IfNoneMatch, body.ETag))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        if (body.Encoding is not null)
            headers.ContentEncoding = body.Encoding;
        http.Response.ContentType = _contentType;
        http.Response.ContentLength = body.Bytes.Length;
        if (HttpMethods.IsGet(http.Request.Method))
            await http.Response.Body.WriteAsync(body.Bytes, http.RequestAborted);
    }

    private static FrozenDictionary<string, DashboardFile> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return assembly.GetManifestResourceNames()
            .Where(resource => resource.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(resource => new DashboardFile(resource[Prefix.Length..], Read(assembly, resource)))
            .ToFrozenDictionary(file => file.Name, StringComparer.Ordinal);
    }

    private static byte[] Read(Assembly assembly, string resource)
    {
        using var file = assembly.GetManifestResourceStream(resource)!;
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static string ContentTypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => throw new InvalidOperationException($"{name} is of no type that the page has"),
    };

    private static byte[] Compress(byte[] bytes, Func<Stream, Stream> open)
    {
        using var to = new MemoryStream();
        using (var compressor = open(to))
            compressor.Write(bytes);
        return to.ToArray();
    }

    private Body BodyFor(StringValues accepted)
    {
        if (!StringWithQualityHeaderValue.TryParseList(accepted, out var encodings))
            return _plain;
        if (Accepts(encodings, "br"))
            return _brotli.Value;
        return Accepts(encodings, "gzip") ? _gzip.Value : _plain;
    }

    private static bool Accepts(IList<StringWithQualityHeaderValue> encodings, string encoding) =>
        encodings.Any(e => e.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase) && e.Quality is null or > 0);

    private static bool IsKnown(StringValues ifNoneMatch, string etag) =>
        EntityTagHeaderValue.TryParseList(ifNoneMatch, out var known)
        && known.Any(k => k.Tag == "*" || k.Tag == etag);

    private sealed record Body(byte[] Bytes, string ETag, string? Encoding);
}
