using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Telemetry.Tests.Tidy;

namespace Telemetry.Tests.Distributed;

[Collection(nameof(Distributed))]
public sealed class TraceTests
{
    [Fact]
    public async Task A_trace_follows_a_batch_from_the_streamers_process_to_the_collectors_transaction()
    {
        await using var receiver = await SpanReceiver.StartAsync(TestContext.Current.CancellationToken);
        await using var run = await PipelineRun.OfFileAsync(Path.Combine(Repository.Root, "data", "dcgm.csv"), builder =>
        {
            foreach (var service in builder.Resources.OfType<ProjectResource>())
            {
                builder.CreateResourceBuilder(service)
                    .WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Address)
                    .WithEnvironment("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
            }
        });
        await run.StreamersEndWellAsync();
        await run.UntilDrainedAsync(192);
        await run.StopAsync(); // what ends hands over its spans

        var published = receiver.Spans.Where(span => span.Name == "publish batch").ToDictionary(span => span.SpanId);
        var stored = receiver.Spans.Where(span => span.Name == "store batch").ToList();
        Assert.NotEmpty(published);
        Assert.Equal(published.Count, stored.Count);
        Assert.All(stored, span => Assert.Equal(published[span.ParentId].TraceId, span.TraceId));
    }
}
