using System.Diagnostics;
using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A port that a resource listens on.</summary>
[DebuggerDisplay("{Name}: {UriScheme} {Port} -> {TargetPort}")]
public sealed class EndpointAnnotation : IResourceAnnotation
{
    private string? _transport;

    /// <summary>Describes an endpoint.</summary>
    /// <param name="protocol">TCP; nothing else is supported.</param>
    /// <param name="uriScheme">The scheme of the address, as <c>http</c>.</param>
    /// <param name="transport">What is spoken: <c>http</c>, <c>http2</c> or <c>tcp</c>.</param>
    /// <param name="name">The name; that of the scheme unless given.</param>
    /// <param name="port">The port that others connect to; any free one unless given.</param>
    /// <param name="targetPort">The port that the process listens on; any free one unless given.</param>
    /// <param name="isExternal">Whether it is meant for use from outside of the application.</param>
    /// <param name="isProxied">Whether a proxy may stand between the two ports.</param>
    public EndpointAnnotation(
        ProtocolType protocol, string? uriScheme = null, string? transport = null, string? name = null,
        int? port = null, int? targetPort = null, bool? isExternal = null, bool isProxied = true)
    {
        Protocol = protocol;
        UriScheme = uriScheme ?? "tcp";
        _transport = transport;
        Name = name ?? UriScheme;
        Port = port;
        TargetPort = targetPort;
        IsExternal = isExternal ?? false;
        IsProxied = isProxied;
    }

    /// <summary>The name, unique in the resource.</summary>
    public string Name { get; set; }

    /// <summary>TCP.</summary>
    public ProtocolType Protocol { get; set; }

    /// <summary>The port that others connect to.</summary>
    public int? Port { get; set; }

    /// <summary>The port that the process listens on.</summary>
    public int? TargetPort { get; set; }

    /// <summary>The scheme of the address.</summary>
    public string UriScheme { get; set; }

    /// <summary>What is spoken: <c>http</c>, <c>http2</c> or <c>tcp</c>.</summary>
    public string Transport
    {
        get => _transport ?? (UriScheme is "http" or "https" ? "http" : "tcp");
        set => _transport = value;
    }

    /// <summary>Whether it is meant for use from outside of the application.</summary>
    public bool IsExternal { get; set; }

    /// <summary>Whether a proxy may stand between the two ports.</summary>
    public bool IsProxied { get; set; }

    /// <summary>The environment variable that tells the process its port.</summary>
    internal string? TargetPortVariable { get; set; }

    /// <summary>The port that others connect to, once the application has started.</summary>
    internal int? AllocatedPort { get; set; }
}
