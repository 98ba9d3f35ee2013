using YamlDotNet.Serialization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>An address for pods.</summary>
public sealed class Service() : BaseKubernetesResource("v1", "Service")
{
    /// <summary>What is wanted.</summary>
    public ServiceSpecV1 Spec { get; set; } = new();
}

/// <summary>Which pods an address is for, on which ports.</summary>
public sealed class ServiceSpecV1
{
    /// <summary>The address in the cluster; <c>None</c>: the names of the pods instead of one.</summary>
    [YamlMember(Alias = "clusterIP")]
    public string? ClusterIp { get; set; }

    /// <summary><c>ClusterIP</c>, <c>NodePort</c> or <c>LoadBalancer</c>.</summary>
    public string Type { get; set; } = "ClusterIP";

    /// <summary>The labels of the pods.</summary>
    public Dictionary<string, string> Selector { get; set; } = [];

    /// <summary>The ports.</summary>
    public List<ServicePortV1> Ports { get; } = [];
}

/// <summary>A port of an address.</summary>
public sealed class ServicePortV1
{
    /// <summary>The name.</summary>
    public string Name { get; set; } = null!;

    /// <summary><c>TCP</c>.</summary>
    public string Protocol { get; set; } = null!;

    /// <summary>The port that others connect to.</summary>
    public Int32OrStringV1 Port { get; set; } = null!;

    /// <summary>The port of the pods, as a number or a name.</summary>
    public Int32OrStringV1 TargetPort { get; set; } = null!;
}
