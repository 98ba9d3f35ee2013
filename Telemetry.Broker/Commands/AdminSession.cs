using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Grpc.Core;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Broker.Commands;

/// <summary>One run of a command: whom it asks, and how it answers.</summary>
internal sealed class AdminSession(QueueAdmin.QueueAdminClient admin, CallOptions call, OutputFormat format, CommandConsole console)
{
    /// <summary>The broker.</summary>
    public QueueAdmin.QueueAdminClient Admin => admin;

    /// <summary>Goes with every call: the time by which all of them together have to be answered.</summary>
    public CallOptions Call => call;

    /// <summary>Writes the answer in the form that was asked for.</summary>
    public async Task AnswerAsync<T>(T answer, JsonTypeInfo<T> json, Action<T, TextReport> text)
    {
        if (format == OutputFormat.Json)
        {
            await console.Out.WriteLineAsync(JsonSerializer.Serialize(answer, json));
            return;
        }
        var report = new TextReport(console.Colours);
        text(answer, report);
        await console.Out.WriteAsync(report.ToString());
    }
}
