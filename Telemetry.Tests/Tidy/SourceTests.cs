using System.Text.RegularExpressions;

namespace Telemetry.Tests.Tidy;

/// <summary>Style that matters.</summary>
public sealed partial class SourceTests
{
    private const int LinesMax = 400;

    [Fact]
    public void No_file_is_longer_than_one_idea()
    {
        var longFiles = Repository.SourceFiles()
            .Select(file => (File: Path.GetRelativePath(Repository.Root, file), Lines: File.ReadLines(file).Count()))
            .Where(file => file.Lines > LinesMax);
        Assert.Empty(longFiles);
    }

    [Fact]
    public void Log_events_have_ids_of_their_own()
    {
        var ids = Repository.SourceFiles()
            .Where(file => !file.Contains("Telemetry.Tests", StringComparison.Ordinal))
            .SelectMany(file => EventId().Matches(File.ReadAllText(file)).Select(match => (Id: match.Groups["id"].Value, File: Path.GetFileName(file))))
            .ToList();
        Assert.NotEmpty(ids);
        Assert.Empty(ids.GroupBy(id => id.Id).Where(group => group.Count() > 1).Select(group => string.Join(", ", group)));
    }

    [Fact]
    public void Tests_do_not_sleep()
    {
        var offenders = Repository.SourceFiles()
            .Where(file => file.Contains("Telemetry.Tests", StringComparison.Ordinal) && !file.EndsWith(nameof(SourceTests) + ".cs", StringComparison.Ordinal))
            .Where(file => Sleep().IsMatch(File.ReadAllText(file)));
        Assert.Empty(offenders.Select(Path.GetFileName));
    }

    [Fact]
    public void Nothing_is_left_for_later_in_the_code()
    {
        var offenders = Repository.SourceFiles()
            .Where(file => !file.EndsWith(nameof(SourceTests) + ".cs", StringComparison.Ordinal))
            .Where(file => Leftover().IsMatch(File.ReadAllText(file)));
        Assert.Empty(offenders.Select(Path.GetFileName));
    }

    [GeneratedRegex(@"\[LoggerMessage\((?:EventId\s*=\s*)?(?<id>\d+)")]
    private static partial Regex EventId();

    [GeneratedRegex(@"Thread\.Sleep\((?!Timeout\.Infinite)|Task\.Delay\((?!Timeout\.Infinite)")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"NotImplementedException|\bTODO\b|\bFIXME\b|\bHACK\b")]
    private static partial Regex Leftover();
}
