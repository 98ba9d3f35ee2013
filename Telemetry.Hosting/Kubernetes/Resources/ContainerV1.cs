namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A container of a pod.</summary>
public sealed class ContainerV1
{
    /// <summary>The image.</summary>
    public string Image { get; set; } = null!;

    /// <summary>Restarts the container when it fails.</summary>
    public ProbeV1? LivenessProbe { get; set; }

    /// <summary>The name.</summary>
    public string Name { get; set; } = null!;

    /// <summary>Takes the pod out of its services while it fails.</summary>
    public ProbeV1? ReadinessProbe { get; set; }

    /// <summary>Holds the other probes back until it succeeds.</summary>
    public ProbeV1? StartupProbe { get; set; }

    /// <summary>Where all entries are environment variables.</summary>
    public List<EnvFromSourceV1> EnvFrom { get; } = [];

    /// <summary>The ports.</summary>
    public List<ContainerPortV1> Ports { get; } = [];

    /// <summary><c>Always</c>, <c>IfNotPresent</c> or <c>Never</c>.</summary>
    public string ImagePullPolicy { get; set; } = "IfNotPresent";
}

/// <summary>A port of a container.</summary>
public sealed class ContainerPortV1
{
    /// <summary>The name.</summary>
    public string Name { get; set; } = null!;

    /// <summary><c>TCP</c>.</summary>
    public string Protocol { get; set; } = null!;

    /// <summary>The number.</summary>
    public Int32OrStringV1? ContainerPort { get; set; }
}

/// <summary>Where all entries are environment variables.</summary>
public sealed class EnvFromSourceV1
{
    /// <summary>A ConfigMap.</summary>
    public ConfigMapEnvSourceV1? ConfigMapRef { get; set; }

    /// <summary>A Secret.</summary>
    public SecretEnvSourceV1? SecretRef { get; set; }
}

/// <summary>A ConfigMap by its name.</summary>
public sealed class ConfigMapEnvSourceV1
{
    /// <summary>The name.</summary>
    public string Name { get; set; } = null!;
}

/// <summary>A Secret by its name.</summary>
public sealed class SecretEnvSourceV1
{
    /// <summary>The name.</summary>
    public string Name { get; set; } = null!;
}

/// <summary>A question to a container.</summary>
public sealed class ProbeV1
{
    /// <summary>How many failures in a row count.</summary>
    public int? FailureThreshold { get; set; }

    /// <summary>How many successes in a row count.</summary>
    public int? SuccessThreshold { get; set; }

    /// <summary>How long to wait before the first.</summary>
    public int? InitialDelaySeconds { get; set; }

    /// <summary>How often it is asked.</summary>
    public int? PeriodSeconds { get; set; }

    /// <summary>How long an answer may take.</summary>
    public int? TimeoutSeconds { get; set; }

    /// <summary>A GET.</summary>
    public HttpGetActionV1? HttpGet { get; set; }
}

/// <summary>A GET to a container.</summary>
public sealed class HttpGetActionV1
{
    /// <summary><c>HTTP</c> or <c>HTTPS</c>, in capitals.</summary>
    public string Scheme { get; set; } = null!;

    /// <summary>The path.</summary>
    public string Path { get; set; } = null!;

    /// <summary>The port's number or name.</summary>
    public Int32OrStringV1? Port { get; set; }
}
