namespace Telemetry.Benchmarks.Fleet;

/// <summary>
/// A fleet of simulated GPUs: on every second host one is idle, on every fourth one is idle while its memory is
/// held; in the whole fleet one is hot and one stops reporting; the others train or serve.
/// </summary>
public sealed class FleetSimulator
{
    private readonly FleetShape _shape;
    private readonly SimulatedGpu[] _gpus;

    /// <summary>Makes the fleet.</summary>
    public FleetSimulator(FleetShape shape)
    {
        _shape = shape;
        _gpus = [.. from host in Enumerable.Range(0, shape.Hosts)
                    from index in Enumerable.Range(0, shape.GpusPerHost)
                    select new SimulatedGpu(shape, host, index, RoleOf(host, index))];
    }

    /// <summary>The GPUs, by host and index.</summary>
    public IReadOnlyList<SimulatedGpu> Gpus => _gpus;

    /// <summary>Every scrape of the fleet in order of time: the time, and the GPUs in the state that they then have.</summary>
    public IEnumerable<DateTimeOffset> Scrapes()
    {
        for (var step = 0; step < _shape.Steps; step++)
        {
            foreach (var gpu in _gpus)
                gpu.Step(step);
            yield return _shape.Start + step * _shape.Interval;
        }
    }

    private static GpuRole RoleOf(int host, int index) => (host, index) switch
    {
        (2, 5) => GpuRole.Hot,
        (6, 1) => GpuRole.Lost,
        (_, 7) when host % 2 == 0 => GpuRole.Idle,
        (_, 6) when host % 4 == 1 => GpuRole.IdleHeld,
        _ when host % 3 == 2 => GpuRole.Inference,
        _ => GpuRole.Training,
    };
}
