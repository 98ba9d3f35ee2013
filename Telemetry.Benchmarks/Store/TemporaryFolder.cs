namespace Telemetry.Benchmarks.Store;

/// <summary>A folder for databases that is removed at the end.</summary>
internal sealed class TemporaryFolder(string parent) : IDisposable
{
    public string Path { get; } = Directory.CreateDirectory(System.IO.Path.Combine(parent, "telemetry-store-" + Guid.NewGuid().ToString("N"))).FullName;

    /// <summary>A file in it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
