using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Telemetry.Gateway.OpenApi;

/// <summary>The OpenAPI 3.0 document as JSON, made once: the routes do not change while the gateway runs.</summary>
internal sealed class GatewayDocument([FromKeyedServices(GatewayDocument.Name)] IOpenApiDocumentProvider provider) : IDisposable
{
    /// <summary>The document's name.</summary>
    public const string Name = "v1";

    private readonly SemaphoreSlim _making = new(1);
    private byte[]? _json;

    /// <summary>The document in UTF-8.</summary>
    public async Task<byte[]> JsonAsync(CancellationToken cancellationToken)
    {
        if (_json is { } made)
            return made;
        await _making.WaitAsync(cancellationToken);
        try
        {
            if (_json is null)
            {
                var document = await provider.GetOpenApiDocumentAsync(cancellationToken);
                using var bytes = new MemoryStream();
                await document.SerializeAsJsonAsync(bytes, OpenApiSpecVersion.OpenApi3_0, cancellationToken);
                _json = bytes.ToArray();
            }
            return _json;
        }
        finally
        {
            _making.Release();
        }
    }

    public void Dispose() => _making.Dispose();
}
