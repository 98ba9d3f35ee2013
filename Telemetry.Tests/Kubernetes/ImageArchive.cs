using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;

namespace Telemetry.Tests.Kubernetes;

/// <summary>An image as <c>docker load</c> reads it.</summary>
internal sealed class ImageArchive
{
    private ImageArchive(JsonElement configuration, IReadOnlyList<string> tags, IReadOnlyDictionary<string, TarEntry> files)
    {
        Configuration = configuration;
        Tags = tags;
        Files = files;
    }

    /// <summary>The image's configuration: architecture, config.User, config.Entrypoint, ….</summary>
    public JsonElement Configuration { get; }

    /// <summary>The names that it is loaded under.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>The files of all layers by their path.</summary>
    public IReadOnlyDictionary<string, TarEntry> Files { get; }

    public static async Task<ImageArchive> ReadAsync(string file)
    {
        var parts = new Dictionary<string, byte[]>();
        await using (var archive = File.OpenRead(file))
        {
            await foreach (var entry in EntriesAsync(archive))
                parts[entry.Name] = await ContentAsync(entry);
        }
        var manifest = JsonDocument.Parse(parts["manifest.json"]).RootElement[0];
        var files = new Dictionary<string, TarEntry>();
        foreach (var layer in manifest.GetProperty("Layers").EnumerateArray())
        {
            await using var gzip = new GZipStream(new MemoryStream(parts[layer.GetString()!]), CompressionMode.Decompress);
            await foreach (var entry in EntriesAsync(gzip))
                files["/" + entry.Name.TrimStart('.', '/').TrimEnd('/')] = entry;
        }
        return new ImageArchive(
            JsonDocument.Parse(parts[manifest.GetProperty("Config").GetString()!]).RootElement,
            [.. manifest.GetProperty("RepoTags").EnumerateArray().Select(tag => tag.GetString()!)],
            files);
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
