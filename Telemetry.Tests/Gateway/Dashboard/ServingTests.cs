using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Telemetry.Gateway.Dashboard;

namespace Telemetry.Tests.Gateway.Dashboard;

public sealed partial class ServingTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    public static TheoryData<string> Files => [.. DashboardFile.All.Keys.Where(name => name != "index.html").Select(name => $"/dashboard/{name}"), "/"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_file_that_the_browser_has_is_not_sent_again(string path)
    {
        foreach (var encoding in new[] { null, "gzip", "br" })
        {
            using var first = await SendAsync(HttpMethod.Get, path, encoding);
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            Assert.Equal("no-cache", first.Headers.CacheControl?.ToString());
            Assert.Contains("Accept-Encoding", first.Headers.Vary);
            Assert.False(first.Headers.ETag!.IsWeak);
            using var second = await SendAsync(HttpMethod.Get, path, encoding, first.Headers.ETag.ToString());
            Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
            Assert.Equal(first.Headers.ETag, second.Headers.ETag);
            Assert.Empty(await second.Content.ReadAsByteArrayAsync(Cancelled));
            using var other = await SendAsync(HttpMethod.Get, path, encoding, "\"another\"");
            Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_file_is_the_same_compressed_and_each_form_has_its_own_tag(string path)
    {
        using var plain = await SendAsync(HttpMethod.Get, path);
        var bytes = await plain.Content.ReadAsByteArrayAsync(Cancelled);
        Assert.Equal(bytes.Length, plain.Content.Headers.ContentLength);
        Assert.Empty(plain.Content.Headers.ContentEncoding);
        var tags = new HashSet<string?> { plain.Headers.ETag?.Tag };
        foreach (var encoding in new[] { "gzip", "br" })
        {
            using var small = await SendAsync(HttpMethod.Get, path, encoding);
            Assert.Equal(encoding, Assert.Single(small.Content.Headers.ContentEncoding));
            Assert.Equal(plain.Content.Headers.ContentType, small.Content.Headers.ContentType);
            await using var body = await small.Content.ReadAsStreamAsync(Cancelled);
            await using Stream read = encoding == "br" ? new BrotliStream(body, CompressionMode.Decompress) : new GZipStream(body, CompressionMode.Decompress);
            using var to = new MemoryStream();
            await read.CopyToAsync(to, Cancelled);
            Assert.Equal(bytes, to.ToArray());
            Assert.True(tags.Add(small.Headers.ETag?.Tag));
        }
        using var refused = await SendAsync(HttpMethod.Get, path, "br;q=0, gzip;q=0");
        Assert.Empty(refused.Content.Headers.ContentEncoding);
        using var head = await SendAsync(HttpMethod.Head, path);
        Assert.Equal(bytes.Length, head.Content.Headers.ContentLength);
        Assert.Equal(plain.Headers.ETag, head.Headers.ETag);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Cancelled));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task The_policy_allows_the_pages_own_files_only(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path);
        Assert.Equal(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            Assert.Single(response.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
    }

    [Fact]
    public async Task The_page_has_no_script_style_or_address_that_the_policy_or_a_path_prefix_would_break()
    {
        var page = await fleet.Server.Client.GetStringAsync(new Uri("/", UriKind.Relative), Cancelled);
        Assert.DoesNotContain("style=", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<style", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch("<script(?![^>]*src=)", page);
        Assert.DoesNotMatch(@"\son\w+=", page);
        foreach (var address in Address().Matches(page).Select(match => match.Groups[1].Value))
        {
            Assert.False(address.StartsWith('/') || address.Contains("//", StringComparison.Ordinal), $"{address} is not relative");
            if (address.StartsWith('#'))
                continue;
            using var response = await SendAsync(HttpMethod.Get, $"/{address}");
            Assert.True(response.StatusCode == HttpStatusCode.OK, $"{address} answered {(int)response.StatusCode}");
        }
    }

    [Fact]
    public void Every_module_that_a_module_names_is_there()
    {
        foreach (var (name, text) in Scripts())
        {
            var folder = name.Contains('/', StringComparison.Ordinal) ? name[..(name.LastIndexOf('/') + 1)] : "";
            foreach (var import in Import().Matches(text).Select(match => match.Groups[1].Value))
            {
                var path = new Uri(new Uri($"http://page/{folder}"), import).AbsolutePath[1..];
                Assert.True(DashboardFile.All.ContainsKey(path), $"{name} imports {import}");
            }
        }
    }

    [Fact]
    public void No_module_reads_text_as_html_or_as_code()
    {
        foreach (var (name, text) in Scripts())
        {
            foreach (var way in new[] { "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setAttribute('style'" })
                Assert.False(text.Contains(way, StringComparison.Ordinal), $"{name} uses {way}");
        }
    }

    [Fact]
    public void No_module_is_longer_than_one_idea() =>
        Assert.Empty(PageFiles().Where(file => File.ReadLines(file).Count() > 400).Select(Path.GetFileName));

    [Fact]
    public void Of_the_package_of_the_charts_only_the_script_comes_along()
    {
        Assert.True(DashboardFile.All.ContainsKey("echarts.js"));
        var gateway = Path.GetDirectoryName(typeof(DashboardFile).Assembly.Location)!;
        Assert.Empty(Directory.EnumerateFiles(gateway, "Vizor*", SearchOption.AllDirectories));
        Assert.Empty(Directory.EnumerateFiles(gateway, "Microsoft.AspNetCore.Components*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_problem() =>
        await fleet.Server.GetProblemAsync("/dashboard/nothing.js", 404);

    private static IEnumerable<string> PageFiles() =>
        Directory.EnumerateFiles(Path.Combine(Tidy.Repository.Root, "Telemetry.Gateway", "Dashboard", "Page"), "*", SearchOption.AllDirectories);

    private static IEnumerable<(string Name, string Text)> Scripts()
    {
        var root = Path.Combine(Tidy.Repository.Root, "Telemetry.Gateway", "Dashboard", "Page");
        return PageFiles().Where(file => file.EndsWith(".js", StringComparison.Ordinal))
            .Select(file => (Path.GetRelativePath(root, file).Replace('\\', '/'), File.ReadAllText(file)));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? encoding = null, string? known = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (encoding is not null)
            request.Headers.Add("Accept-Encoding", encoding);
        if (known is not null)
            request.Headers.Add("If-None-Match", known);
        return await fleet.Server.Client.SendAsync(request, Cancelled);
    }

    [GeneratedRegex("(?:href|src)=\"([^\"]+)\"")]
    private static partial Regex Address();

    [GeneratedRegex(@"(?:from|import\()\s*'(\.[^']+)'")]
    private static partial Regex Import();
}
