namespace Telemetry.Storage.History;

/// <summary>
/// The values of a series' newest record in <c>latest.metrics</c>: for each metric that it has, varint id, less the id
/// before it (the first: less -1), minus 1, and the value as a little-endian double.
/// </summary>
internal static class LatestValues
{
    /// <summary>Appends values.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="values">By id, ascending.</param>
    public static void Write(ByteWriter output, IEnumerable<(int Id, double Value)> values)
    {
        var before = -1;
        foreach (var (id, value) in values)
        {
            output.Varint((ulong)(id - before - 1));
            output.Double(value);
            before = id;
        }
    }

    /// <summary>Reads the values of those metrics that are wanted.</summary>
    /// <exception cref="StoreException">They are damaged.</exception>
    public static Dictionary<string, double> Read(ReadOnlySpan<byte> bytes, MetricIds ids, IReadOnlyList<string> wanted)
    {
        var all = new Dictionary<int, double>();
        var input = new ByteReader(bytes);
        for (var id = -1; !input.AtEnd;)
        {
            id += 1 + input.Count(0, int.MaxValue - 1 - id, "between metrics");
            all[id] = input.Double();
        }
        var values = new Dictionary<string, double>(wanted.Count, StringComparer.Ordinal);
        foreach (var name in wanted)
        {
            if (all.TryGetValue(ids.Of(name), out var value))
                values.Add(name, value);
        }
        return values;
    }
}
