using System.Text.RegularExpressions;

namespace Telemetry.Tests.Hosting;

/// <summary>The command that writes the chart.</summary>
public sealed partial class PublishCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    [Fact]
    public async Task The_systems_chart_is_written_and_its_place_told()
    {
        var chart = Path.Combine(_folder.FullName, "a chart");
        await using var host = HostProcess.OfTheSystem("--operation", "publish", "--step", "publish", "--output-path", chart);
        Assert.Equal(0, await host.EndAsync());
        Assert.Matches("^chart telemetry-pipeline [0-9.]+[^ ]* is in .*/a chart; install it with: helm install telemetry-pipeline '.*/a chart'$", Assert.Single(host.Output.Lines));
        Assert.Empty(host.Errors.Lines);

        var files = Directory.EnumerateFiles(chart, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(chart, file)).ToHashSet();
        Assert.Superset(
            new HashSet<string>
            {
                "Chart.yaml", "values.yaml", "templates/NOTES.txt", "templates/_helpers.tpl", "templates/broker/statefulset.yaml", "templates/broker/headless.yaml",
                "templates/streamer/hpa.yaml", "templates/collector/store.yaml", "templates/gateway/ingress.yaml", "templates/gateway/networkpolicy.yaml",
            },
            files);
        // What the model says as data is a template in the end.
        var marks = files.Where(file => file.EndsWith(".yaml", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(Path.Combine(chart, file)).Where(line => line.Contains("}}': \"\"", StringComparison.Ordinal) || line.StartsWith("when:", StringComparison.Ordinal)));
        Assert.Empty(marks);
        // One object that stands in a file twice becomes an alias, which nobody wants to read.
        Assert.DoesNotContain(files, file => Alias().IsMatch(File.ReadAllText(Path.Combine(chart, file))));
    }

    [Fact]
    public async Task The_same_model_is_the_same_chart()
    {
        var texts = new List<string>();
        for (var time = 0; time < 2; time++)
        {
            // The second time over the first.
            await using var host = HostProcess.OfTheSystem("--operation", "publish", "--output-path", _folder.FullName);
            Assert.Equal(0, await host.EndAsync());
            texts.Add(string.Concat(Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => file + File.ReadAllText(file))));
        }
        Assert.Equal(texts[0], texts[1]);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("file/inside")]
    public async Task A_file_in_the_way_is_one_line_and_exit_code_1(string path)
    {
        var file = Path.Combine(_folder.FullName, "file");
        await File.WriteAllTextAsync(file, "mine", TestContext.Current.CancellationToken);
        var chart = Path.Combine(_folder.FullName, path);
        await using var host = HostProcess.OfTheSystem("--operation", "publish", "--output-path", chart);
        Assert.Equal(1, await host.EndAsync());
        Assert.Equal([$"apphost: cannot write the chart to {chart}: {file} is a file"], host.Errors.Lines);
        Assert.Empty(host.Output.Lines);
        Assert.Equal("mine", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_step_that_does_not_exist_is_named_with_those_that_do()
    {
        await using var host = HostProcess.OfTheSystem("--operation", "publish", "--step", "deploy", "--output-path", _folder.FullName);
        Assert.Equal(1, await host.EndAsync());
        Assert.Equal(["apphost: there is no pipeline step 'deploy': expected one of complete-chart, publish, publish-k8s"], host.Errors.Lines);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.FullName));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [GeneratedRegex(@"(?m)(: |- )[&*]o[0-9]+$")]
    private static partial Regex Alias();
}
