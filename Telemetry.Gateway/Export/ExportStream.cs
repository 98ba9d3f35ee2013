using Telemetry.Gateway.Http;
using Telemetry.Storage.Export;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Export;

/// <summary>
/// An export on its way to a client, in pieces of constant size: the store is read no faster than the client takes them. It may
/// take any time, but is cut when nothing moves for as long as a query may take.
/// </summary>
internal sealed class ExportStream(GatewaySources sources, ExportQuery query, ExportFormat format)
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>Writes all of it.</summary>
    /// <exception cref="ProblemException">Nothing moved.</exception>
    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        var patience = sources.Options.QueryTimeout;
        using var stall = new CancellationTokenSource(patience, sources.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        using var piece = new MemoryStream(2 * PieceBytes);
        try
        {
            await using (var writer = RowWriter.Create(format, piece, query.Metrics!, escapesFormulas: true))
            {
                await foreach (var row in sources.Store.ExportAsync(query, stop.Token))
                {
                    writer.Write(row);
                    if (piece.Length >= PieceBytes)
                    {
                        await SendAsync(response, piece, stop.Token);
                        stall.CancelAfter(patience);
                    }
                }
            }
            await SendAsync(response, piece, stop.Token);
        }
        catch (OperationCanceledException) when (stall.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(Problems.Timeout(patience));
        }
    }

    private static async Task SendAsync(HttpResponse response, MemoryStream piece, CancellationToken cancellationToken)
    {
        await response.Body.WriteAsync(piece.GetBuffer().AsMemory(0, (int)piece.Length), cancellationToken);
        piece.SetLength(0);
    }
}
