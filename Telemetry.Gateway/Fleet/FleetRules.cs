using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Fleet;

/// <summary>
/// When a GPU is idle, hot, failing or lost. The defaults are in <c>fleet-rules.jsonc</c>, which says what each is; a file
/// named in <c>FLEET_RULES</c> changes some of them.
/// </summary>
public sealed record FleetRules
{
    /// <summary>The setting that names a file.</summary>
    public const string Setting = "FLEET_RULES";

    private static readonly JsonDocumentOptions Reading = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };

    /// <summary>A GPU whose newest record is older is lost.</summary>
    public required TimeSpan LostAfter { get; init; }

    /// <summary>When a GPU is idle, and when it holds memory then.</summary>
    public required IdleRule Idle { get; init; }

    /// <summary>A GPU that is busier is used effectively; percent.</summary>
    public required double EffectiveAbovePercent { get; init; }

    /// <summary>When a GPU is hot.</summary>
    public required HotRule Hot { get; init; }

    /// <summary>When a GPU is throttled.</summary>
    public required ThrottledRule Throttled { get; init; }

    /// <summary>When a GPU is failing.</summary>
    public required FailingRule Failing { get; init; }

    /// <summary>A GPU of which less than this share of the expected records arrived is incomplete.</summary>
    public required double IncompleteBelowShare { get; init; }

    /// <summary>What is known of XIDs, by their number.</summary>
    public required IReadOnlyDictionary<string, XidRule> Xids { get; init; }

    /// <summary>The rules as they come with the program.</summary>
    public static FleetRules Default { get; } = Of(Shipped(), "the rules that come with the program");

    /// <summary>The defaults with what a file changes.</summary>
    /// <param name="path">The file; empty for none.</param>
    /// <exception cref="SettingException">It cannot be read, is no JSON, or has a value that makes no sense; the message says where.</exception>
    public static FleetRules Load(string path)
    {
        if (path.Length == 0)
            return Default;
        JsonNode? changes;
        try
        {
            using var file = File.OpenRead(path);
            changes = JsonNode.Parse(file, documentOptions: Reading);
        }
        catch (JsonException error)
        {
            throw Refused(path, error.LineNumber is { } line ? $"line {line + 1} cannot be read as JSON" : "a property is there twice");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Refused(path, "the file cannot be read");
        }
        var rules = Shipped();
        Merge(rules, changes as JsonObject ?? throw Refused(path, "expected an object"));
        return Of(rules, path);
    }

    /// <summary>What is known of an XID; a hardware warning where it is not listed.</summary>
    public XidRule Xid(long code) => Xids.GetValueOrDefault(code.ToString(System.Globalization.CultureInfo.InvariantCulture)) ?? new XidRule
    {
        Severity = Severity.Warning,
        Cause = XidCause.Hardware,
        Text = "not in the list of known XIDs",
        Advice = "Look it up in NVIDIA's XID catalogue, and name it in FLEET_RULES.",
    };

    private static JsonObject Shipped()
    {
        using var file = typeof(FleetRules).Assembly.GetManifestResourceStream("fleet-rules.jsonc")!;
        return JsonNode.Parse(file, documentOptions: Reading)!.AsObject();
    }

    private static void Merge(JsonObject rules, JsonObject changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is JsonObject inner && rules[name] is JsonObject known)
                Merge(known, inner);
            else
                rules[name] = value?.DeepClone();
        }
    }

    private static FleetRules Of(JsonObject json, string source)
    {
        FleetRules rules;
        try
        {
            rules = json.Deserialize(FleetRulesJson.Default.FleetRules)!;
        }
        catch (JsonException error)
        {
            throw Refused(source, $"{(error.Path ?? "$").TrimStart('$').TrimStart('.')}: {(error.InnerException is FormatException format ? format.Message : "not a rule, or not of this type")}");
        }
        return rules.Wrong() is { } wrong ? throw Refused(source, wrong) : rules;
    }

    private string? Wrong()
    {
        (bool Ok, string Text)[] checks =
        [
            (LostAfter >= TimeSpan.FromSeconds(1), "lost_after: expected 1s or longer"),
            (Idle.BelowPercent is > 0 and <= 100, "idle.below_percent: expected a number above 0, at most 100"),
            (Idle.HeldAboveMib >= 0, "idle.held_above_mib: expected 0 or more"),
            (Idle.HeldAboveShare is >= 0 and <= 1, "idle.held_above_share: expected a number from 0 to 1"),
            (EffectiveAbovePercent is >= 0 and < 100, "effective_above_percent: expected a number from 0, below 100"),
            (IncompleteBelowShare is >= 0 and <= 1, "incomplete_below_share: expected a number from 0 to 1"),
            (Failing.Window >= TimeSpan.FromMinutes(1) && Failing.Window <= TimeSpan.FromDays(7), "failing.window: expected a duration from 1m to 7d"),
            (new[] { Idle.For, Hot.For, Throttled.For }.All(f => f <= TimeSpan.FromHours(12)), "for: expected at most 12h"),
            (Throttled.Reasons.All(r => ClockEvents.Bits.ContainsKey(r)), $"throttled.reasons: expected some of {string.Join(", ", ClockEvents.Bits.Keys)}"),
            (Xids.Keys.All(k => ushort.TryParse(k, System.Globalization.NumberStyles.None, null, out _)), "xids: expected numbers as names"),
        ];
        return Array.Find(checks, c => !c.Ok).Text;
    }

    private static SettingException Refused(string source, string reason) => new($"{Setting}: '{source}' is not accepted: {reason}");
}

/// <summary>When a GPU is idle.</summary>
public sealed record IdleRule
{
    /// <summary>Less busy than this is idle; percent.</summary>
    public required double BelowPercent { get; init; }

    /// <summary>An idle GPU with more memory in use holds it; MiB.</summary>
    public required double HeldAboveMib { get; init; }

    /// <summary>So does one with more than this share of its memory in use.</summary>
    public required double HeldAboveShare { get; init; }

    /// <summary>How long it must be idle to be a finding.</summary>
    public required TimeSpan For { get; init; }
}

/// <summary>When a GPU is hot.</summary>
public sealed record HotRule
{
    /// <summary>From this temperature on, degrees Celsius.</summary>
    public required double TemperatureC { get; init; }

    /// <summary>From this temperature of its memory on, degrees Celsius.</summary>
    public required double MemoryTemperatureC { get; init; }

    /// <summary>For how long.</summary>
    public required TimeSpan For { get; init; }
}

/// <summary>When a GPU is throttled.</summary>
public sealed record ThrottledRule
{
    /// <summary>The reasons that count, by name.</summary>
    public required IReadOnlyList<string> Reasons { get; init; }

    /// <summary>For how long.</summary>
    public required TimeSpan For { get; init; }

    /// <summary>The bits of the reasons.</summary>
    internal long Mask() => Reasons.Aggregate(0L, (mask, reason) => mask | ClockEvents.Bits[reason]);
}

/// <summary>When a GPU is failing.</summary>
public sealed record FailingRule
{
    /// <summary>How far back XIDs are looked for.</summary>
    public required TimeSpan Window { get; init; }

    /// <summary>Metrics, and the value from which on a GPU is failing.</summary>
    public required IReadOnlyDictionary<string, double> Counters { get; init; }
}

/// <summary>What is known of an XID.</summary>
public sealed record XidRule
{
    /// <summary>How bad it is.</summary>
    public required Severity Severity { get; init; }

    /// <summary>Whose fault it usually is.</summary>
    public required XidCause Cause { get; init; }

    /// <summary>What it means.</summary>
    public required string Text { get; init; }

    /// <summary>What to do.</summary>
    public required string Advice { get; init; }
}

/// <summary>How bad something is.</summary>
public enum Severity
{
    /// <summary>Act now.</summary>
    [JsonStringEnumMemberName("critical")]
    Critical,

    /// <summary>Look at it.</summary>
    [JsonStringEnumMemberName("warning")]
    Warning,

    /// <summary>Good to know.</summary>
    [JsonStringEnumMemberName("info")]
    Info,
}

/// <summary>Whose fault an XID usually is.</summary>
public enum XidCause
{
    /// <summary>The GPU's or its board's.</summary>
    [JsonStringEnumMemberName("hardware")]
    Hardware,

    /// <summary>The driver's or firmware's.</summary>
    [JsonStringEnumMemberName("driver")]
    Driver,

    /// <summary>The job's.</summary>
    [JsonStringEnumMemberName("application")]
    Application,
}

/// <summary>Durations as the rules write them.</summary>
internal sealed class DurationConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Durations.TryParse(reader.GetString()!, out var duration)
            ? duration
            : throw new JsonException(null, new FormatException("expected a duration, as \"5m\""));

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Durations.Format(value));
}

/// <summary>How the rules are read and shown.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    UseStringEnumConverter = true,
    Converters = [typeof(DurationConverter)])]
[JsonSerializable(typeof(FleetRules))]
internal sealed partial class FleetRulesJson : JsonSerializerContext;
