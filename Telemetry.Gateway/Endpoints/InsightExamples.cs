using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Fleet;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Answers about the fleet, for the documentation.</summary>
internal static class InsightExamples
{
    private static readonly UsageFigures Figures = new()
    {
        GpuHours = 1536,
        ActiveHours = 1210.5,
        IdleHours = 200.5,
        IdleHeldHours = 125,
        UnknownHours = 0,
        GpuUtilization = 71.2,
        EnergyKwh = 812.4,
        EnergyHours = 1536,
    };

    public static readonly InsightsAnswer Insights = new()
    {
        Time = Examples.Time,
        Summary = new FleetSummaryState
        {
            Gpus = 64,
            Reporting = 63,
            Allocated = 58,
            Active = 55,
            Effective = 48,
            Idle = 5,
            IdleHeld = 3,
            Unknown = 0,
            Lost = 1,
            Hot = 1,
            Throttled = 1,
            Failing = 0,
            Incomplete = 0,
            PowerW = 33_120.5,
            EnergyKwh24h = 812.4,
        },
        Findings =
        [
            new Finding
            {
                Kind = FindingKind.Hot,
                Severity = Severity.Warning,
                HostId = Examples.Host,
                GpuId = Examples.Gpu,
                Uuid = Examples.Uuid,
                Model = Examples.Model,
                Pod = "train-7b-0",
                Namespace = "research",
                Since = Examples.Time.AddMinutes(-12),
                SinceAtLeast = false,
                Reason = "temperature_c is 91 °C, and has been 85 °C or more for 12 min",
                Advice = "Check the node's fans, airflow and inlet temperature; compare with its siblings.",
                Evidence = [new Evidence { Metric = "temperature_c", Value = 91, Threshold = 85, Timestamp = Examples.Time }],
            },
        ],
        Total = 1,
    };

    public static readonly UsageAnswer Usage = new()
    {
        StartTime = Examples.Time.AddHours(-24),
        EndTime = Examples.Time,
        Total = Figures,
        Hours = [new HourUsage(Figures) { StartTime = Examples.Time.AddHours(-24) }],
        Hosts = [new HostUsage(Figures) { HostId = Examples.Host }],
        Namespaces = [new NamespaceUsage(Figures) { Namespace = "research" }],
    };
}
