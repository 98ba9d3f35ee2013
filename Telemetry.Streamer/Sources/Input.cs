using System.IO.Enumeration;
using System.IO.Hashing;
using System.Text;
using Telemetry.ServiceDefaults;

namespace Telemetry.Streamer.Sources;

/// <summary>The files that are streamed, in their order. Every replica that sees the same files sees the same input.</summary>
internal sealed class Input
{
    private Input(IReadOnlyList<InputFile> files) => Files = files;

    /// <summary>The files.</summary>
    public IReadOnlyList<InputFile> Files { get; }

    /// <summary>The bytes of all files.</summary>
    public long Length => Files.Sum(file => file.Length);

    /// <summary>
    /// The name of this input among all inputs of a topic: 16 hexadecimal digits, a hash of the files' identities, the topic
    /// and the number of shards. (Another number of shards divides the records otherwise, so that positions mean something else.)
    /// </summary>
    public string Id(string topic, int shards)
    {
        var hash = new XxHash64();
        hash.Append(Encoding.UTF8.GetBytes($"{topic}\n{shards}\n"));
        foreach (var file in Files)
            hash.Append(BitConverter.GetBytes(file.Identity));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>The index of the file with an identity; -1 for none.</summary>
    public int IndexOf(long fileIdentity)
    {
        for (var i = 0; i < Files.Count; i++)
        {
            if (Files[i].Identity == fileIdentity)
                return i;
        }
        return -1;
    }

    /// <summary>Whether another input has the same files.</summary>
    public bool IsSameAs(Input other) => Files.Select(file => file.Identity).SequenceEqual(other.Files.Select(file => file.Identity));

    /// <summary>Finds and opens the files.</summary>
    /// <returns>Null when the file is followed and has no first row yet.</returns>
    /// <exception cref="StartupException">There are none, or one of them cannot be streamed; the message says what to do.</exception>
    public static Input? Open(StreamerOptions options)
    {
        var paths = Find(options.CsvFile);
        if (options.Follow && paths.Count > 1)
            throw new StartupException($"FOLLOW=true follows one file, and CSV_FILE '{options.CsvFile}' is {paths.Count} files: name one of them");
        var files = new List<InputFile>();
        foreach (var path in paths)
        {
            if (InputFile.Open(path, options.TimestampMode == TimestampMode.Source, options.Follow) is not { } file)
                return null;
            files.Add(file);
        }
        return new Input(files);
    }

    /// <summary>The paths that the setting means, in ordinal order.</summary>
    /// <exception cref="StartupException">There are none.</exception>
    internal static IReadOnlyList<string> Find(string setting)
    {
        if (File.Exists(setting))
            return [setting];
        if (Directory.Exists(setting))
            return Matching(setting, "*.csv", $"CSV_FILE: there is no *.csv in the directory '{setting}'");
        var pattern = Path.GetFileName(setting);
        var directory = Path.GetDirectoryName(setting);
        if (pattern.AsSpan().ContainsAny('*', '?'))
        {
            directory = string.IsNullOrEmpty(directory) ? "." : directory;
            var none = $"CSV_FILE: no file matches '{setting}'";
            return Directory.Exists(directory) ? Matching(directory, pattern, none) : throw new StartupException(none);
        }
        throw new StartupException($"CSV_FILE: there is no file '{setting}' (in {Environment.CurrentDirectory})");
    }

    private static List<string> Matching(string directory, string pattern, string none)
    {
        try
        {
            var paths = Directory.EnumerateFiles(directory)
                .Where(path => FileSystemName.MatchesSimpleExpression(pattern, Path.GetFileName(path), ignoreCase: false))
                .OrderBy(Path.GetFileName, StringComparer.Ordinal)
                .ToList();
            return paths.Count > 0 ? paths : throw new StartupException(none);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new StartupException($"CSV_FILE: the directory '{directory}' cannot be read: {error.Message}", error);
        }
    }
}
