using System.Net;

namespace Telemetry.Messaging.Client;

/// <summary>
/// Puts messages that are written one after another into one piece of the connection. Without it each is an HTTP/2 frame of
/// its own, which costs both ends more than a small message itself. A flush sends at once, as before.
/// </summary>
internal sealed class CoalescingHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is { } content)
            request.Content = new CoalescedContent(content);
        return base.SendAsync(request, cancellationToken);
    }

    private sealed class CoalescedContent : HttpContent
    {
        private const int BufferBytes = 32 << 10;

        private readonly HttpContent _content;

        public CoalescedContent(HttpContent content)
        {
            _content = content;
            foreach (var (name, values) in content.Headers)
                Headers.TryAddWithoutValidation(name, values);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            // Not disposed: the stream below is the connection's.
            var buffered = new BufferedStream(stream, BufferBytes);
            await _content.CopyToAsync(buffered, context, cancellationToken);
            await buffered.FlushAsync(cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _content.Dispose();
            base.Dispose(disposing);
        }
    }
}
