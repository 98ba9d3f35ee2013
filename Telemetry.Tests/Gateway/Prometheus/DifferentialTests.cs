using System.Globalization;
using System.Text;
using System.Text.Json;
using Telemetry.Gateway;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway.Prometheus;

/// <summary>The same samples in a real Prometheus and in the store: the answers are the same.</summary>
public sealed class DifferentialTests
{
    private const int Queries = 800;
    // A failed test is repeated with the same queries; the variable asks others.
    private static readonly int Seed = Environment.GetEnvironmentVariable("PROMQL_SEED") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 20260301;

    private static readonly DateTimeOffset First = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_real_prometheus_answers_the_same()
    {
        var rows = Rows(new Random(Seed));
        await using var prometheus = await RealPrometheus.StartAsync(rows);
        using var file = new StoreFile();
        Write(file, rows);
        await using var gateway = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path });

        var queries = new RandomQueries(Seed);
        var different = new List<string>();
        var (answered, values) = (0, 0);
        for (var i = 0; i < Queries; i++)
        {
            var query = queries.Any(queries.Next(3));
            var start = First.AddSeconds(queries.Next(3 * 3600)).ToUnixTimeSeconds();
            var request = queries.Next(3) == 0
                ? $"api/v1/query?query={Uri.EscapeDataString(query)}&time={start}"
                : $"api/v1/query_range?query={Uri.EscapeDataString(query)}&start={start}&end={start + queries.Next(7200)}&step={queries.Pick("7", "15", "1m", "5m", "0.5m", "47.5")}".Replace("0.5m", "30s", StringComparison.Ordinal);
            var (expected, actual) = (await GetAsync(prometheus.Client, request), await GetAsync(gateway.Client, "prometheus/" + request));
            if (Difference(expected, actual) is { } difference)
                different.Add($"{query}\n  {request}\n  {difference}");
            if (expected.Body.GetProperty("status").GetString() == "success")
                answered++;
            values += Values(expected.Body);
        }
        Assert.True(different.Count == 0, $"{different.Count} of {Queries} differ:\n{string.Join('\n', different.Take(12))}");
        Assert.True(answered > Queries * 9 / 10, $"Prometheus itself answered {answered}");
        Assert.True(values > 100_000, $"only {values} values were compared");
    }

    // Samples lie between whole seconds, so that none is at the end of a window: versions of Prometheus differ in that alone.
    private static List<TelemetryRow> Rows(Random random)
    {
        var rows = new List<TelemetryRow>();
        for (var gpu = 0; gpu < 9; gpu++)
        {
            var (host, index) = ($"h{gpu / 3}", $"{gpu % 3}");
            var labels = new GpuLabels(host, index, $"GPU-{gpu}", gpu % 2 == 0 ? "NVIDIA H100" : "", $"nvidia{index}", gpu % 4 == 1 ? $"job-{gpu}" : "", gpu % 4 == 1 ? "research" : "", "");
            var energy = 1e9 + random.Next(1_000_000);
            for (var second = random.Next(15); second < 3 * 3600; second += gpu == 5 ? 60 : 15)
            {
                if (random.Next(150) == 0)
                    second += random.Next(30, 1_500); // silent for a while
                if (random.Next(300) == 0)
                    energy = random.Next(1_000_000);
                energy += random.Next(20_000);
                var metrics = new Dictionary<string, double> { ["gpu_utilization"] = random.Next(101), ["energy_mj"] = energy };
                if (random.Next(10) > 0)
                    metrics["power_w"] = random.NextDouble() * 700;
                if (gpu != 7)
                    metrics["temperature_c"] = 30 + random.Next(60);
                rows.Add(new TelemetryRow(First.AddSeconds(second).AddMilliseconds(random.Next(1, 999)), labels, metrics));
            }
        }
        return [.. rows.OrderBy(r => r.Timestamp)];
    }

    // A third is merged, a third folded and the rest plain.
    private static void Write(StoreFile file, List<TelemetryRow> rows)
    {
        var store = file.Open();
        file.Write(rows[..(rows.Count / 3)]);
        Fold(store);
        while (store.Merge(TimeSpan.FromHours(-20)).HasMore)
        {
        }
        file.Write(rows[(rows.Count / 3)..(rows.Count * 2 / 3)]);
        Fold(store);
        file.Write(rows[(rows.Count * 2 / 3)..]);
        file.Close();
    }

    private static void Fold(TelemetryStore store)
    {
        while (store.Fold(TimeSpan.Zero).Rows > 0)
        {
        }
    }

    private static async Task<(int Status, JsonElement Body)> GetAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    private static int Values(JsonElement answer) =>
        answer.TryGetProperty("data", out var data) && data.GetProperty("resultType").GetString() == "matrix"
            ? data.GetProperty("result").EnumerateArray().Sum(s => s.GetProperty("values").GetArrayLength())
            : 1;

    private static string? Difference((int Status, JsonElement Body) expected, (int Status, JsonElement Body) actual)
    {
        if (expected.Status != actual.Status)
            return $"status {actual.Status} {actual.Body.GetRawText()[..Math.Min(200, actual.Body.GetRawText().Length)]}, expected {expected.Status} {expected.Body.GetRawText()[..Math.Min(200, expected.Body.GetRawText().Length)]}";
        if (expected.Status != 200)
            return null;
        var (one, other) = (expected.Body.GetProperty("data"), actual.Body.GetProperty("data"));
        var type = one.GetProperty("resultType").GetString();
        if (type != other.GetProperty("resultType").GetString())
            return $"{other.GetProperty("resultType")}, expected {type}";
        if (type is "scalar" or "string")
            return DifferenceOfValues([one.GetProperty("result")], [other.GetProperty("result")]);
        var (series, others) = (Series(one), Series(other));
        if (!series.Keys.ToHashSet().SetEquals(others.Keys))
            return $"series {string.Join(' ', others.Keys)}, expected {string.Join(' ', series.Keys)}";
        return series.Select(s => DifferenceOfValues(s.Value, others[s.Key]) is { } difference ? $"{s.Key}: {difference}" : null).FirstOrDefault(d => d is not null);
    }

    private static Dictionary<string, JsonElement[]> Series(JsonElement data) => data.GetProperty("result").EnumerateArray().ToDictionary(
        s => string.Join(',', s.GetProperty("metric").EnumerateObject().OrderBy(l => l.Name, StringComparer.Ordinal).Select(l => $"{l.Name}={l.Value}")),
        s => s.TryGetProperty("value", out var value) ? [value] : s.GetProperty("values").EnumerateArray().ToArray());

    private static string? DifferenceOfValues(JsonElement[] expected, JsonElement[] actual)
    {
        if (expected.Length != actual.Length)
            return $"{actual.Length} values, expected {expected.Length}: {Text(actual)} and {Text(expected)}";
        for (var i = 0; i < expected.Length; i++)
        {
            var (one, other) = (Value(expected[i]), Value(actual[i]));
            if (expected[i][0].GetDecimal() != actual[i][0].GetDecimal() || !IsNear(one, other))
                return $"{actual[i]} expected {expected[i]}";
        }
        return null;
    }

    private static string Text(JsonElement[] values) => new StringBuilder().AppendJoin(' ', values.Take(4)).ToString();

    private static bool IsNear(double one, double other) =>
        one.Equals(other) || Math.Abs(one - other) <= 1e-9 * Math.Max(1, Math.Max(Math.Abs(one), Math.Abs(other)));

    private static double Value(JsonElement value) => value[1].GetString() switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        var text => double.Parse(text!, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}
