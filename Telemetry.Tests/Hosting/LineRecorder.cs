using System.Text;

namespace Telemetry.Tests.Hosting;

/// <summary>Keeps what was written line by line, and lets a test wait for a line.</summary>
internal sealed class LineRecorder : TextWriter
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> Predicate, TaskCompletionSource<string> Found)> _waiting = [];

    public override Encoding Encoding => Encoding.UTF8;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
                return [.. _lines];
        }
    }

    public override void WriteLine(string? value)
    {
        lock (_lock)
        {
            _lines.Add(value ?? "");
            foreach (var waiting in _waiting.Where(w => w.Predicate(value ?? "")))
                waiting.Found.TrySetResult(value ?? "");
        }
    }

    /// <summary>The first line that fits, earlier ones included.</summary>
    public Task<string> LineAsync(Func<string, bool> predicate, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_lines.Find(line => predicate(line)) is { } line)
                return Task.FromResult(line);
            var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((predicate, found));
            return found.Task.WaitAsync(cancellationToken);
        }
    }
}
