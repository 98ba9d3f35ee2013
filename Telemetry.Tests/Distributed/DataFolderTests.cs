namespace Telemetry.Tests.Distributed;

/// <summary>The system is started again on the data folder of an earlier run, with all of it or a part.</summary>
[Collection(nameof(Distributed))]
public sealed class DataFolderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-fleet-");

    private string CsvFile => Path.Combine(_folder.FullName, "fleet.csv");

    private string DataFolder => Path.Combine(_folder.FullName, "run");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_second_run_goes_on_and_doubles_nothing()
    {
        FleetFile.Write(CsvFile, rows: 5_000);
        await RunAsync();
        var early = StraightReading.Read(CsvFile);
        await StoreContents.AssertEachOnceAsync(Path.Combine(DataFolder, "telemetry.db"), early);
        // The same file, longer.
        FleetFile.Write(CsvFile, rows: 8_000);
        await RunAsync();
        await StoreContents.AssertEachOnceAsync(Path.Combine(DataFolder, "telemetry.db"), StraightReading.Read(CsvFile));
    }

    [Fact]
    public async Task F22_A_database_that_was_deleted_is_filled_with_what_the_queue_still_holds()
    {
        FleetFile.Write(CsvFile, rows: 5_000);
        var expected = StraightReading.Read(CsvFile);
        await RunAsync();
        foreach (var file in Directory.EnumerateFiles(DataFolder, "telemetry.db*"))
            File.Delete(file);
        await RunAsync();
        await StoreContents.AssertEachOnceAsync(Path.Combine(DataFolder, "telemetry.db"), expected);
    }

    [Fact]
    public async Task F20_A_log_that_was_deleted_is_a_gap_and_the_system_goes_on()
    {
        FleetFile.Write(CsvFile, rows: 5_000);
        var expected = StraightReading.Read(CsvFile);
        await RunAsync();
        Directory.Delete(Path.Combine(DataFolder, "broker"), recursive: true);
        // The queue has forgotten what was sent, so all of it is sent again.
        await RunAsync(2 * expected.Records);
        var database = Path.Combine(DataFolder, "telemetry.db");
        Assert.Equal(2 * expected.Records, await StoreContents.RowsAsync(database, TestContext.Current.CancellationToken));
        var gaps = await StoreContents.GapsAsync(database, TestContext.Current.CancellationToken);
        Assert.Equal(4, gaps.Count);
        Assert.All(gaps, gap => Assert.EndsWith("log replaced", gap, StringComparison.Ordinal));
    }

    [Fact]
    public async Task F20_A_copy_of_the_log_from_before_is_a_gap_and_what_comes_after_is_stored()
    {
        var (log, copy) = (Path.Combine(DataFolder, "broker"), Path.Combine(_folder.FullName, "copy"));
        var copied = Write(rows: 3_000);
        await RunAsync();
        Copy(log, copy);
        var stored = Write(rows: 6_000);
        await RunAsync();
        Directory.Delete(log, recursive: true);
        Directory.Move(copy, log);
        // The queue knows of what was copied only, so what came after it is sent again, and then what is new.
        var all = stored + Write(rows: 9_000) - copied;
        await RunAsync(all);
        var database = Path.Combine(DataFolder, "telemetry.db");
        Assert.Equal(all, await StoreContents.RowsAsync(database, TestContext.Current.CancellationToken));
        var gaps = await StoreContents.GapsAsync(database, TestContext.Current.CancellationToken);
        Assert.Equal(4, gaps.Count);
        Assert.All(gaps, gap => Assert.EndsWith("log replaced", gap, StringComparison.Ordinal));
    }

    /// <returns>How many records the file has.</returns>
    private long Write(int rows)
    {
        FleetFile.Write(CsvFile, rows);
        return StraightReading.Read(CsvFile).Records;
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Sends the file once, until it is stored.</summary>
    private async Task RunAsync(long? rows = null)
    {
        await using var run = await PipelineRun.OfFileAsync(CsvFile, dataFolder: DataFolder);
        await run.StreamersEndWellAsync();
        await run.UntilDrainedAsync(rows ?? StraightReading.Read(CsvFile).Records);
        await run.StopAsync();
    }
}
