using System.Collections.Concurrent;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Telemetry.Tests.Kubernetes;

/// <summary>A registry on this machine with one base image for two architectures, in the form that Microsoft's have: a list, manifests, one layer with one file. It takes what is pushed.</summary>
internal sealed class BaseImageRegistry : IAsyncDisposable
{
    private const string IndexType = "application/vnd.docker.distribution.manifest.list.v2+json";
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";
    private const string ConfigType = "application/vnd.docker.container.image.v1+json";
    private const string LayerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    private readonly ConcurrentDictionary<string, (string Type, byte[] Content)> _blobs = [];
    private readonly ConcurrentDictionary<string, string> _pushed = [];
    private readonly string _index;
    private readonly WebApplication _server;

    private BaseImageRegistry()
    {
        var tar = Tar();
        var layer = Add(LayerType, Compressed(tar));
        _index = Add(IndexType, new
        {
            schemaVersion = 2,
            mediaType = IndexType,
            manifests = new[] { Platform("amd64"), Platform("arm64") },
        }).Digest;

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.MapMethods("/v2/", ["GET", "HEAD"], () => Results.Ok());
        _server.MapMethods("/v2/{**path}", ["GET", "HEAD"], (string path, HttpContext context) => Answer(path.Split('/')[^1], context));
        _server.MapPost("/v2/{**path}", (string path) => Results.Accepted($"/v2/{path.TrimEnd('/')}/{Guid.NewGuid():N}"));
        _server.MapPatch("/v2/{**path}", TakePartAsync);
        _server.MapPut("/v2/{**path}", TakeAsync);

        object Platform(string architecture)
        {
            var config = Add(ConfigType, new
            {
                architecture,
                os = "linux",
                config = new { User = "0", Env = new[] { "PATH=/usr/bin", "ASPNETCORE_HTTP_PORTS=8080" }, WorkingDir = "/" },
                rootfs = new { type = "layers", diff_ids = new[] { Digest(tar) } },
                history = new[] { new { created_by = "a test" } },
            });
            var manifest = Add(ManifestType, new
            {
                schemaVersion = 2,
                mediaType = ManifestType,
                config = Descriptor(ConfigType, config),
                layers = new[] { Descriptor(LayerType, layer) },
            });
            return new { mediaType = ManifestType, digest = manifest.Digest, size = manifest.Size, platform = new { architecture, os = "linux" } };
        }
    }

    /// <summary>Where it listens, as host and port.</summary>
    public string Address => new Uri(_server.Urls.Single()).Authority;

    /// <summary>The manifest that was pushed under a repository and tag; null where none was.</summary>
    public JsonElement? Pushed(string repository, string tag) =>
        _pushed.TryGetValue($"{repository}/manifests/{tag}", out var digest) ? JsonDocument.Parse(_blobs[digest].Content).RootElement : null;

    /// <summary>Whether a blob was pushed, or is part of the base image.</summary>
    public bool Has(string digest) => _blobs.ContainsKey(digest);

    public static async Task<BaseImageRegistry> StartAsync()
    {
        var registry = new BaseImageRegistry();
        await registry._server.StartAsync(TestContext.Current.CancellationToken);
        return registry;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>A blob or manifest by its digest; any tag is that of the one image.</summary>
    private IResult Answer(string reference, HttpContext context)
    {
        var digest = reference.StartsWith("sha256:", StringComparison.Ordinal) ? reference : _index;
        if (!_blobs.TryGetValue(digest, out var blob))
            return Results.NotFound();
        context.Response.Headers["Docker-Content-Digest"] = digest;
        return Results.Bytes(blob.Content, blob.Type);
    }

    /// <summary>Takes an upload's content, which is named when it is finished.</summary>
    private async Task<IResult> TakePartAsync(string path, HttpContext context)
    {
        var before = _blobs.TryGetValue(path, out var part) ? part.Content : [];
        _blobs[path] = ("", [.. before, .. await BodyAsync(context)]);
        return Results.Accepted($"/v2/{path}");
    }

    /// <summary>Finishes an upload, or takes a manifest.</summary>
    private async Task<IResult> TakeAsync(string path, HttpContext context)
    {
        var body = await BodyAsync(context);
        if (_blobs.TryRemove(path, out var part))
            body = [.. part.Content, .. body];
        var digest = Add(context.Request.ContentType ?? "application/octet-stream", body).Digest;
        if (context.Request.Query["digest"] is [{ } expected])
            return expected == digest ? Results.Created($"/v2/{path}", null) : Results.BadRequest();
        _pushed[path] = digest;
        return Results.Created($"/v2/{path}", null);
    }

    private static async Task<byte[]> BodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return body.ToArray();
    }

    private (string Digest, int Size) Add(string type, object content) => Add(type, JsonSerializer.SerializeToUtf8Bytes(content));

    private (string Digest, int Size) Add(string type, byte[] content)
    {
        var digest = Digest(content);
        _blobs[digest] = (type, content);
        return (digest, content.Length);
    }

    private static object Descriptor(string mediaType, (string Digest, int Size) blob) => new { mediaType, digest = blob.Digest, size = blob.Size };

    private static string Digest(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    private static byte[] Tar()
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "etc/base")
            {
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes("base")),
                ModificationTime = DateTimeOffset.UnixEpoch,
            });
        }
        return tar.ToArray();
    }

    private static byte[] Compressed(byte[] content)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(content);
        return compressed.ToArray();
    }
}
