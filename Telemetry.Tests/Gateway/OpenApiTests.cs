using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Telemetry.Tests.Gateway;

/// <summary>Walks the document, and holds it against the running gateway.</summary>
public sealed partial class OpenApiTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private static readonly Dictionary<string, string> Working = new()
    {
        ["host_id"] = "node-a",
        ["gpu_id"] = "0",
        ["metric"] = "gpu_utilization",
        ["metrics"] = "gpu_utilization",
    };

    // What does not answer JSON.
    private static readonly Dictionary<string, string[]> Streams = new()
    {
        ["/metrics"] = ["text/plain"],
        ["/api/v1/telemetry/stream"] = ["text/event-stream"],
        ["/api/v1/telemetry/export"] = ["text/csv", "application/x-ndjson"],
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_document_is_openapi_3_0_and_names_no_machine()
    {
        var document = await DocumentAsync();
        Assert.StartsWith("3.0.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("""[{"url":"/"}]""", Compact(document.GetProperty("servers")));
        Assert.Equal("GPU telemetry", document.GetProperty("info").GetProperty("title").GetString());
        Assert.DoesNotContain("127.0.0.1", document.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_operation_is_described_and_has_an_example_of_its_answer()
    {
        var document = await DocumentAsync();
        var tags = document.GetProperty("tags").EnumerateArray().Select(t => t.GetProperty("name").GetString()).ToList();
        var ids = new List<string?>();
        foreach (var (path, operation) in Operations(document))
        {
            ids.Add(operation.GetProperty("operationId").GetString());
            Assert.NotEqual("", operation.GetProperty("summary").GetString());
            Assert.NotEqual("", operation.GetProperty("description").GetString());
            Assert.Contains(Assert.Single(operation.GetProperty("tags").EnumerateArray()).GetString(), tags);
            var answers = operation.GetProperty("responses").GetProperty("200").GetProperty("content").EnumerateObject().ToList();
            Assert.Equal(Streams.GetValueOrDefault(path, ["application/json"]), answers.Select(a => a.Name));
            foreach (var media in answers)
            {
                Assert.True(media.Value.TryGetProperty("example", out var example), $"{path} has no example");
                AssertMatches(document, Resolve(document, media.Value.GetProperty("schema")), example, path);
            }
        }
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[a-z][A-Za-z]+$", id));
    }

    [Fact]
    public async Task Every_error_is_a_problem_with_an_example()
    {
        var document = await DocumentAsync();
        foreach (var (path, operation) in Operations(document))
        {
            var errors = operation.GetProperty("responses").EnumerateObject().Where(r => r.Name is not ("200" or "304")).ToList();
            Assert.Contains("500", errors.Select(e => e.Name));
            if (path.StartsWith("/api", StringComparison.Ordinal))
                Assert.Superset(new HashSet<string> { "400", "415", "429", "500", "503" }, errors.Select(e => e.Name).ToHashSet());
            foreach (var error in errors)
            {
                if (IsPrometheus(path) && error.Name is "400" or "422" or "503")
                    continue; // its own envelope: PrometheusTests
                var media = Assert.Single(Resolve(document, error.Value).GetProperty("content").EnumerateObject());
                Assert.Equal("application/problem+json", media.Name);
                Assert.Equal(error.Name, media.Value.GetProperty("example").GetProperty("status").GetRawText());
                AssertMatches(document, Resolve(document, media.Value.GetProperty("schema")), media.Value.GetProperty("example"), path);
            }
        }
    }

    [Fact]
    public async Task Every_parameter_is_described_with_bounds_and_accepted_by_its_route()
    {
        var document = await DocumentAsync();
        foreach (var (path, operation) in Operations(document))
        {
            var parameters = Parameters(operation);
            foreach (var parameter in parameters)
            {
                var name = parameter.GetProperty("name").GetString()!;
                Assert.NotEqual("", parameter.GetProperty("description").GetString());
                Assert.True(parameter.TryGetProperty("example", out var example), $"{path} {name} has no example");
                var schema = parameter.GetProperty("schema");
                Assert.True(
                    new[] { "maxLength", "maximum", "enum", "pattern", "format" }.Any(bound => schema.TryGetProperty(bound, out _)), $"{path} {name} has no bounds");
                if (name == "cursor")
                    continue; // is made by the gateway: PagingTests
                var given = parameters.Where(p => p.TryGetProperty("required", out var required) && required.GetBoolean() || p.GetProperty("name").GetString() == name);
                using var response = await fleet.Server.Client.GetAsync(Request(path, given), HttpCompletionOption.ResponseHeadersRead, Cancelled);
                Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.RequestMessage!.RequestUri} answered {(int)response.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task A_parameter_that_is_not_documented_is_not_accepted()
    {
        var document = await DocumentAsync();
        var all = Operations(document).SelectMany(o => Parameters(o.Operation)).Select(p => p.GetProperty("name").GetString()!).Distinct().ToList();
        foreach (var (path, operation) in Operations(document).Where(o => o.Path != "/metrics" && !IsPrometheus(o.Path)))
        {
            var parameters = Parameters(operation);
            var known = parameters.Where(p => p.GetProperty("in").GetString() == "query").Select(p => p.GetProperty("name").GetString()!).ToList();
            var required = parameters.Where(p => p.TryGetProperty("required", out var r) && r.GetBoolean()).ToList();
            foreach (var name in all.Append("limit").Except(known))
            {
                var url = Request(path, required).ToString();
                var problem = await fleet.Server.GetProblemAsync($"{url}{(url.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{name}=1", 400);
                Assert.Equal(name, problem.GetProperty("parameter").GetString());
            }
        }
    }

    [Fact]
    public async Task The_answers_are_as_the_document_says()
    {
        var document = await DocumentAsync();
        foreach (var (path, operation) in Operations(document).Where(o => !Streams.ContainsKey(o.Path)))
        {
            var required = Parameters(operation).Where(p => p.TryGetProperty("required", out var r) && r.GetBoolean());
            var answer = await fleet.Server.GetAsync(Request(path, required).ToString());
            var schema = operation.GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("schema");
            AssertMatches(document, Resolve(document, schema), answer, path);
        }
    }

    [Fact]
    public async Task Swagger_ui_works_without_any_other_host()
    {
        using var moved = await fleet.Server.Client.GetAsync(new Uri("/swagger", UriKind.Relative), Cancelled);
        Assert.Equal("/swagger/index.html", new Uri(new Uri("http://gateway/swagger"), moved.Headers.Location!).AbsolutePath);

        var page = await fleet.Server.Client.GetStringAsync(new Uri("/swagger/index.html", UriKind.Relative), Cancelled);
        Assert.DoesNotContain("http://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script[^>]*>[^<]", page);
        var assets = Asset().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.True(assets.Count >= 4, page);
        foreach (var asset in assets)
        {
            using var response = await fleet.Server.Client.GetAsync(new Uri(new Uri("http://gateway/swagger/"), asset).PathAndQuery, Cancelled);
            Assert.True(response.StatusCode == HttpStatusCode.OK, asset);
            Assert.NotEmpty(await response.Content.ReadAsByteArrayAsync(Cancelled));
            var type = response.Content.Headers.ContentType?.MediaType;
            Assert.EndsWith(Path.GetExtension(asset) switch { ".js" => "/javascript", ".css" => "text/css", ".png" => "image/png", var other => other }, type, StringComparison.Ordinal);
        }
        var settings = await fleet.Server.Client.GetStringAsync(new Uri("/swagger/index.js", UriKind.Relative), Cancelled);
        Assert.Contains("../openapi/v1.json", settings, StringComparison.Ordinal);
        Assert.DoesNotContain("validator.swagger.io", settings, StringComparison.Ordinal);
    }

    // Parameters that it does not know do not matter to a Prometheus, and errors have an envelope of their own.
    private static bool IsPrometheus(string path) => path.StartsWith("/prometheus/", StringComparison.Ordinal);

    private async Task<JsonElement> DocumentAsync() => await fleet.Server.GetAsync("/openapi/v1.json");

    private static IEnumerable<(string Path, JsonElement Operation)> Operations(JsonElement document) =>
        document.GetProperty("paths").EnumerateObject().Select(p => (p.Name, Assert.Single(p.Value.EnumerateObject(), o => o.Name == "get").Value));

    private static List<JsonElement> Parameters(JsonElement operation) =>
        operation.TryGetProperty("parameters", out var parameters) ? [.. parameters.EnumerateArray()] : [];

    private static Uri Request(string path, IEnumerable<JsonElement> parameters)
    {
        var query = new List<string>();
        foreach (var parameter in parameters)
        {
            var name = parameter.GetProperty("name").GetString()!;
            var value = Uri.EscapeDataString(Working.TryGetValue(name, out var working) ? working : parameter.GetProperty("example").ToString());
            if (parameter.GetProperty("in").GetString() == "path")
                path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
            else
                query.Add($"{name}={value}");
        }
        return new Uri(path + (query.Count == 0 ? "" : "?" + string.Join('&', query)), UriKind.Relative);
    }

    private static JsonElement Resolve(JsonElement document, JsonElement element) =>
        element.TryGetProperty("$ref", out var reference)
            ? reference.GetString()!.Split('/').Skip(1).Aggregate(document, (at, name) => at.GetProperty(name))
            : element;

    // As much of JSON Schema as the document uses.
    private static void AssertMatches(JsonElement document, JsonElement schema, JsonElement value, string path)
    {
        schema = Resolve(document, schema);
        if (value.ValueKind == JsonValueKind.Null)
        {
            Assert.True(schema.TryGetProperty("nullable", out var nullable) && nullable.GetBoolean(), $"{path} is null: {schema}");
            return;
        }
        if (schema.TryGetProperty("enum", out var words))
        {
            Assert.Contains(value.GetString(), words.EnumerateArray().Select(w => w.GetString()));
            return;
        }
        if (schema.TryGetProperty("allOf", out var all) || schema.TryGetProperty("oneOf", out all))
        {
            AssertMatches(document, Assert.Single(all.EnumerateArray(), s => s.TryGetProperty("$ref", out _)), value, path);
            return;
        }
        if (!schema.TryGetProperty("type", out var documented))
            return; // anything
        var type = documented.GetString();
        Assert.True(type == Type(value) || (type == "number" && Type(value) == "integer"), $"{path} is {Type(value)}, documented as {type}");
        foreach (var item in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : default)
            AssertMatches(document, schema.GetProperty("items"), item, path + "[]");
        if (value.ValueKind != JsonValueKind.Object)
            return;
        var properties = schema.TryGetProperty("properties", out var declared) ? declared : default;
        foreach (var property in value.EnumerateObject())
        {
            var of = properties.ValueKind == JsonValueKind.Object ? properties.GetProperty(property.Name) : schema.GetProperty("additionalProperties");
            AssertMatches(document, of, property.Value, $"{path}.{property.Name}");
        }
        foreach (var required in schema.TryGetProperty("required", out var names) ? names.EnumerateArray() : default)
            Assert.True(value.TryGetProperty(required.GetString()!, out _), $"{path} lacks {required}");
    }

    private static string Type(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => value.TryGetInt64(out _) ? "integer" : "number",
    };

    private static string Compact(JsonElement element) => Whitespace().Replace(element.GetRawText(), "");

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Asset();

    [GeneratedRegex("\\s+")]
    private static partial Regex Whitespace();
}
