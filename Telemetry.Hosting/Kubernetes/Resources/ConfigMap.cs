namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Settings that anybody may read.</summary>
public sealed class ConfigMap() : BaseKubernetesResource("v1", "ConfigMap")
{
    /// <summary>The settings.</summary>
    public Dictionary<string, string> Data { get; } = [];
}

/// <summary>Settings that not everybody may read.</summary>
public sealed class Secret() : BaseKubernetesResource("v1", "Secret")
{
    /// <summary>The settings in base 64.</summary>
    public Dictionary<string, string> Data { get; } = [];

    /// <summary>The settings as they are.</summary>
    public Dictionary<string, string> StringData { get; } = [];

    /// <summary>What the settings are for.</summary>
    public string Type { get; set; } = "Opaque";
}
