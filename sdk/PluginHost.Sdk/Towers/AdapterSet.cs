namespace PluginHost.Sdk;

/// <summary>
/// What tuning methods add to towers: adapters of projections, keys and values of slots. It is chosen for the calls of a thread and stored in no tower, so that
/// calls with different sets run over one base side by side. Immutable; the tensors are those of who made it.
/// </summary>
/// <param name="projections">The adapters by what they add to.</param>
/// <param name="slots">Keys and values by the slot that they fill.</param>
public sealed class AdapterSet(IReadOnlyDictionary<Projection, IProjectionAdapter> projections, IReadOnlyDictionary<KeyValueSlot, KeyValues> slots)
{
    [ThreadStatic]
    private static AdapterSet? current;

    /// <summary>Adds nothing.</summary>
    public static AdapterSet None { get; } = new(new Dictionary<Projection, IProjectionAdapter>(), new Dictionary<KeyValueSlot, KeyValues>());

    /// <summary>What has been chosen for this thread; null: nothing, which is not <see cref="None"/>: whoever runs a tower may still choose.</summary>
    public static AdapterSet? Current => current;

    /// <summary>The adapters by what they add to.</summary>
    public IReadOnlyDictionary<Projection, IProjectionAdapter> Projections { get; } = projections;

    /// <summary>Keys and values by the slot that they fill.</summary>
    public IReadOnlyDictionary<KeyValueSlot, KeyValues> Slots { get; } = slots;

    /// <summary>Chooses a set for this thread until the result is disposed.</summary>
    public static Chosen Use(AdapterSet? set)
    {
        var former = current;
        current = set;
        return new Chosen(former);
    }

    /// <summary>Several sets as one. Deltas of the same projection add up.</summary>
    /// <exception cref="UserErrorException">Two of them fill the same slot.</exception>
    public static AdapterSet Union(IReadOnlyList<AdapterSet> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        if (sets.Count < 2) return sets.Count == 0 ? None : sets[0];
        var slots = new Dictionary<KeyValueSlot, KeyValues>();
        foreach (var (slot, content) in sets.SelectMany(set => set.Slots))
            if (!slots.TryAdd(slot, content)) throw new UserErrorException($"two adapters fill the key/value slot '{slot.Name}'; attach one of them");
        var projections = sets.SelectMany(set => set.Projections).GroupBy(pair => pair.Key, pair => pair.Value)
            .ToDictionary(group => group.Key, group => group.Count() == 1 ? group.First() : new Sum([.. group]));
        return new AdapterSet(projections, slots);
    }

    /// <summary>A choice in force.</summary>
    public readonly ref struct Chosen
    {
        private readonly AdapterSet? former;

        internal Chosen(AdapterSet? former) => this.former = former;

        /// <summary>Goes back to what was chosen before.</summary>
        public void Dispose() => current = former;
    }

    private sealed class Sum(IReadOnlyList<IProjectionAdapter> parts) : IProjectionAdapter
    {
        public IEnumerable<TorchSharp.torch.Tensor> Weights => parts.SelectMany(part => part.Weights);

        public TorchSharp.torch.Tensor Delta(TorchSharp.torch.Tensor input) => parts.Select(part => part.Delta(input)).Aggregate((sum, next) => sum + next);
    }
}
