namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>The labels of a series, by name. An empty label is the same as none.</summary>
internal sealed class Labels : IEquatable<Labels>, IComparable<Labels>
{
    /// <summary>The label of the metric's name.</summary>
    public const string Name = "__name__";

    /// <summary>No labels.</summary>
    public static readonly Labels Empty = new([]);

    private readonly (string Name, string Value)[] _all;
    private readonly int _hash;

    private Labels((string Name, string Value)[] all)
    {
        _all = all;
        var hash = new HashCode();
        foreach (var label in all)
            hash.Add(label);
        _hash = hash.ToHashCode();
    }

    /// <summary>Each name and value, by name.</summary>
    public IReadOnlyList<(string Name, string Value)> All => _all;

    /// <summary>The value of a label; empty where there is none.</summary>
    public string this[string name] => Array.Find(_all, l => l.Name == name).Value ?? "";

    /// <summary>Makes them of names and values; empty ones are left out.</summary>
    public static Labels Of(IEnumerable<(string Name, string Value)> labels) =>
        new([.. labels.Where(l => l.Value.Length > 0).OrderBy(l => l.Name, StringComparer.Ordinal)]);

    /// <summary>Those that are named.</summary>
    public Labels Only(IReadOnlyList<string> names) => new(Array.FindAll(_all, l => names.Contains(l.Name)));

    /// <summary>Those that are not named.</summary>
    public Labels Without(IReadOnlyList<string> names) => new(Array.FindAll(_all, l => !names.Contains(l.Name)));

    /// <summary>All but the metric's name.</summary>
    public Labels WithoutName() => _all.Length > 0 && _all[0].Name != Name && Array.TrueForAll(_all, l => l.Name != Name) ? this : Without([Name]);

    /// <inheritdoc/>
    public bool Equals(Labels? other) => other is not null && _hash == other._hash && _all.AsSpan().SequenceEqual(other._all);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Labels);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <summary>By the first name or value that differs.</summary>
    public int CompareTo(Labels? other)
    {
        for (var i = 0; other is not null && i < Math.Min(_all.Length, other._all.Length); i++)
        {
            var order = string.CompareOrdinal(_all[i].Name, other._all[i].Name);
            if (order == 0)
                order = string.CompareOrdinal(_all[i].Value, other._all[i].Value);
            if (order != 0)
                return order;
        }
        return _all.Length.CompareTo(other?._all.Length ?? 0);
    }

    /// <summary>As Prometheus writes them in error texts.</summary>
    public override string ToString() => "{" + string.Join(", ", _all.Select(l => $"{l.Name}=\"{l.Value}\"")) + "}";
}
