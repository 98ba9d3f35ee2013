using System.Globalization;

namespace Telemetry.Benchmarks.Fleet;

/// <summary>What a simulated GPU is used for.</summary>
public enum GpuRole
{
    /// <summary>Busy with long jobs: high utilisation, full memory, a pause for a checkpoint now and then.</summary>
    Training,

    /// <summary>Serves requests: utilisation that comes and goes, memory held.</summary>
    Inference,

    /// <summary>Not used: no utilisation, memory free.</summary>
    Idle,

    /// <summary>Not used, but a process holds its memory.</summary>
    IdleHeld,

    /// <summary>Busy, and too hot: its clock is lowered.</summary>
    Hot,

    /// <summary>Trains until it falls off the bus and reports no more.</summary>
    Lost,
}

/// <summary>One GPU whose metrics walk as a real one's do: utilisation by its role, power after utilisation, temperature slowly after power.</summary>
public sealed class SimulatedGpu
{
    private const int MemoryMb = 81_559; // an H100 80GB as DCGM reports it

    private readonly Random _random;
    private readonly int _lostAtStep;
    private double _load;
    private double _temperature;

    /// <summary>Makes a GPU in the state in which its role usually is.</summary>
    public SimulatedGpu(FleetShape shape, int host, int index, GpuRole role)
    {
        _random = new Random(HashCode(shape.Seed, host, index));
        Role = role;
        HostId = string.Create(CultureInfo.InvariantCulture, $"gpu-node-{host + 1:00}");
        GpuId = index.ToString(CultureInfo.InvariantCulture);
        var id = new byte[16];
        _random.NextBytes(id);
        Uuid = "GPU-" + new Guid(id);
        var held = role is not GpuRole.Idle;
        Pod = !held ? "" : role is GpuRole.Inference
            ? string.Create(CultureInfo.InvariantCulture, $"llm-serve-{host * shape.GpusPerHost + index:000}")
            : string.Create(CultureInfo.InvariantCulture, $"train-{host + 1:00}-{index / 4}");
        Namespace = !held ? "" : role is GpuRole.Inference ? "serving" : role is GpuRole.IdleHeld ? "notebooks" : "research";
        Container = !held ? "" : role is GpuRole.Inference ? "server" : "trainer";
        _lostAtStep = role is GpuRole.Lost ? shape.Steps * 2 / 5 : int.MaxValue;
        _load = Target(0);
        _temperature = 30 + Watts() / 14;
        MemoryUsedMb = role switch
        {
            GpuRole.Idle => 0,
            GpuRole.IdleHeld => 41_000 + _random.Next(2_000),
            GpuRole.Inference => 62_000 + _random.Next(4_000),
            _ => 74_000 + _random.Next(6_000),
        };
    }

    /// <summary>What it is used for.</summary>
    public GpuRole Role { get; }

    /// <summary>Its host.</summary>
    public string HostId { get; }

    /// <summary>Its index on the host.</summary>
    public string GpuId { get; }

    /// <summary>Its UUID.</summary>
    public string Uuid { get; }

    /// <summary>The pod that holds it; empty for none.</summary>
    public string Pod { get; }

    /// <summary>The pod's namespace; empty for none.</summary>
    public string Namespace { get; }

    /// <summary>The pod's container; empty for none.</summary>
    public string Container { get; }

    /// <summary>Whether it still reports.</summary>
    public bool Reports { get; private set; } = true;

    /// <summary>Utilisation in percent.</summary>
    public int Utilization => (int)Math.Round(_load);

    /// <summary>Memory bandwidth utilisation in percent.</summary>
    public int MemoryUtilization => (int)Math.Round(_load * (Role is GpuRole.Inference ? 0.7 : 0.45));

    /// <summary>Memory in use, MiB.</summary>
    public int MemoryUsedMb { get; private set; }

    /// <summary>Memory free, MiB.</summary>
    public int MemoryFreeMb => MemoryMb - MemoryUsedMb;

    /// <summary>Temperature, °C.</summary>
    public int TemperatureC => (int)Math.Round(_temperature);

    /// <summary>Power, W, to a tenth.</summary>
    public double PowerW { get; private set; }

    /// <summary>SM clock, MHz.</summary>
    public int SmClockMhz => Utilization < 3 ? 345 : Role is GpuRole.Hot ? 1_410 : 1_980;

    /// <summary>Memory clock, MHz.</summary>
    public int MemoryClockMhz => Utilization < 3 ? 1_593 : 2_619;

    /// <summary>Why the clock is what it is: a DCGM bit mask (1: idle, 32: software thermal slowdown).</summary>
    public int ClockEventReasons => Utilization < 3 ? 1 : Role is GpuRole.Hot ? 32 : 0;

    /// <summary>Goes on by one observation.</summary>
    public void Step(int step)
    {
        Reports = step < _lostAtStep;
        _load = Math.Clamp(_load + (Target(step) - _load) * 0.35 + Noise(Role is GpuRole.Idle or GpuRole.IdleHeld ? 0 : 3), 0, 100);
        PowerW = Math.Round(Watts() + Noise(2), 1);
        var equilibrium = (Role is GpuRole.Hot ? 52 : 30) + PowerW / 14;
        _temperature += (equilibrium - _temperature) * 0.15 + Noise(0.3);
        if (Role is GpuRole.Training or GpuRole.Inference or GpuRole.Hot or GpuRole.Lost)
            MemoryUsedMb = Math.Clamp(MemoryUsedMb + _random.Next(-64, 65), 1_000, MemoryMb);
    }

    private double Target(int step) => Role switch
    {
        GpuRole.Idle or GpuRole.IdleHeld => 0,
        GpuRole.Inference => 35 + 30 * Math.Sin(step / 9.0) + Noise(10),
        _ => step % 30 is 28 or 29 ? 8 : 97, // a checkpoint is written
    };

    private double Watts() => 72 + _load * 5.9;

    private double Noise(double width) => (_random.NextDouble() * 2 - 1) * width;

    // Not System.HashCode, which differs from run to run.
    private static int HashCode(int seed, int host, int index) => unchecked((seed * 7_919 + host) * 104_729 + index * 31 + 17);
}
