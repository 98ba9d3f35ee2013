using System.Text.Json;
using System.Text.Json.Serialization;

namespace Aspire.Hosting;

/// <summary>A project's <c>Properties/launchSettings.json</c>.</summary>
public sealed class LaunchSettings
{
    private static readonly JsonSerializerOptions Reading = new() { ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The profiles by name, in the order of the file.</summary>
    [JsonPropertyName("profiles")]
    public Dictionary<string, LaunchProfile> Profiles { get; set; } = [];

    /// <summary>Reads the file of a project's folder. Null where there is none.</summary>
    /// <exception cref="DistributedApplicationException">The file cannot be understood.</exception>
    internal static LaunchSettings? OfProject(string? directory)
    {
        var path = Path.Combine(directory ?? "", "Properties", "launchSettings.json");
        if (directory is null || !File.Exists(path))
            return null;
        try
        {
            return JsonSerializer.Deserialize<LaunchSettings>(File.ReadAllText(path), Reading);
        }
        catch (JsonException error)
        {
            throw new DistributedApplicationException($"{path}: {error.Message}", error);
        }
    }
}

/// <summary>One way to start a project.</summary>
public sealed class LaunchProfile
{
    /// <summary>What is started, as <c>Project</c>.</summary>
    [JsonPropertyName("commandName")]
    public string? CommandName { get; set; }

    /// <summary>The command line.</summary>
    [JsonPropertyName("commandLineArgs")]
    public string? CommandLineArgs { get; set; }

    /// <summary>Addresses to listen on, joined with semicolons.</summary>
    [JsonPropertyName("applicationUrl")]
    public string? ApplicationUrl { get; set; }

    /// <summary>Environment variables.</summary>
    [JsonPropertyName("environmentVariables")]
    public Dictionary<string, string> EnvironmentVariables { get; set; } = [];
}
