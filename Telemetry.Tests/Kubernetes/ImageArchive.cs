using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;

namespace Telemetry.Tests.Kubernetes;

/// <summary>An image as <c>docker load</c> reads it.</summary>
internal sealed class ImageArchive
{
    private ImageArchive(JsonElement configuration, IReadOnlyList<string> tags, IReadOnlyDictionary<string, TarEntry> files, IReadOnlyList<string> layerDigests)
    {
        Configuration = configuration;
        Tags = tags;
        Files = files;
        LayerDigests = layerDigests;
    }

    /// <summary>The image's configuration: architecture, config.User, config.Entrypoint, ….</summary>
    public JsonElement Configuration { get; }

    /// <summary>The names that it is loaded under.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>The files of all layers by their path.</summary>
    public IReadOnlyDictionary<string, TarEntry> Files { get; }

    /// <summary>What each layer is called, which is the digest of its content.</summary>
    public IReadOnlyList<string> LayerDigests { get; }

    public static async Task<ImageArchive> ReadAsync(string file)
    {
        var parts = new Dictionary<string, byte[]>();
        await using (var compressed = File.OpenRead(file))
        await using (var gzip = new GZipStream(compressed, CompressionMode.Decompress))
        {
            await foreach (var entry in EntriesAsync(gzip))
                parts[entry.Name] = await ContentAsync(entry);
        }
        var manifest = JsonDocument.Parse(parts["manifest.json"]).RootElement[0];
        var layers = manifest.GetProperty("Layers").EnumerateArray().Select(layer => layer.GetString()!).ToList();
        var files = new Dictionary<string, TarEntry>();
        foreach (var layer in layers)
        {
            await using var gzip = new GZipStream(new MemoryStream(parts[layer]), CompressionMode.Decompress);
            await foreach (var entry in EntriesAsync(gzip))
                files["/" + entry.Name.TrimStart('.', '/').TrimEnd('/')] = entry;
        }
        return new ImageArchive(
            JsonDocument.Parse(parts[manifest.GetProperty("Config").GetString()!]).RootElement,
            [.. manifest.GetProperty("RepoTags").EnumerateArray().Select(tag => tag.GetString()!)],
            files,
            layers);
    }

    private static async IAsyncEnumerable<TarEntry> EntriesAsync(Stream stream)
    {
        await using var tar = new TarReader(stream, leaveOpen: true);
        while (await tar.GetNextEntryAsync(copyData: true) is { } entry)
            yield return entry;
    }

    private static async Task<byte[]> ContentAsync(TarEntry entry)
    {
        using var content = new MemoryStream();
        if (entry.DataStream is { } data)
            await data.CopyToAsync(content);
        return content.ToArray();
    }
}
