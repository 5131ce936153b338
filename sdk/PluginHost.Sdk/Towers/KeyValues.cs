using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>A place in an attention layer for learnt keys and values that every query sees: prefix-tuning fills it.</summary>
/// <param name="name">Dotted and stable: <c>layers.3.attention</c>.</param>
/// <param name="heads">Number of key/value heads.</param>
/// <param name="headWidth">Width of a head.</param>
public sealed class KeyValueSlot(string name, long heads, long headWidth)
{
    /// <summary>Dotted and stable: <c>layers.3.attention</c>.</summary>
    public string Name { get; } = name;

    /// <summary>Number of key/value heads.</summary>
    public long Heads { get; } = heads;

    /// <summary>Width of a head.</summary>
    public long HeadWidth { get; } = headWidth;

    /// <summary>Extra keys [heads, length, head width], or null. Taken as they are, not rotated.</summary>
    public Tensor? Keys { get; set; }

    /// <summary>Extra values [heads, length, head width], or null.</summary>
    public Tensor? Values { get; set; }

    /// <summary>
    /// What every query sees besides the tower's own keys, or null: what is chosen for this thread (<see cref="AdapterSet"/>), else <see cref="Keys"/> and
    /// <see cref="Values"/>. A causal tower counts its positions from its length on, as if it were a prompt; a layer that is recomputed needs its tensors.
    /// </summary>
    public KeyValues? Content =>
        AdapterSet.Current is { } set && set.Slots.TryGetValue(this, out var chosen) ? chosen
        : Keys is { } keys && Values is { } values ? new KeyValues(keys, values) : null;
}

/// <summary>Keys and values that stand before those of a tower's own positions.</summary>
/// <param name="Keys">[heads, length, head width].</param>
/// <param name="Values">[heads, length, head width].</param>
/// <param name="Mask">Bool [batch, length], true where a row sees them; null: all rows see all.</param>
public sealed record KeyValues(Tensor Keys, Tensor Values, Tensor? Mask = null)
{
    /// <summary>How many there are.</summary>
    public long Length => Keys.size(1);
}

/// <summary>
/// Keys and values of the positions already seen, preallocated for a whole generation. Used by one thread at a time; the one who
/// created it disposes it.
/// </summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] keys;
    private readonly Tensor[] values;

    /// <summary>Allocates the cache.</summary>
    /// <param name="layers">Number of attention layers.</param>
    /// <param name="batch">Number of rows.</param>
    /// <param name="heads">Number of key/value heads.</param>
    /// <param name="capacity">Number of positions.</param>
    /// <param name="headWidth">Width of a head.</param>
    /// <param name="dtype">Type of keys and values.</param>
    /// <param name="device">Where they live.</param>
    public KeyValueCache(int layers, long batch, long heads, long capacity, long headWidth, ScalarType dtype, Device device)
    {
        Capacity = capacity;
        Tensor Allocate() => zeros([batch, heads, capacity, headWidth], dtype: dtype, device: device).DetachFromDisposeScope();
        keys = [.. Enumerable.Range(0, layers).Select(_ => Allocate())];
        values = [.. Enumerable.Range(0, layers).Select(_ => Allocate())];
    }

    /// <summary>Number of positions there is room for.</summary>
    public long Capacity { get; }

    /// <summary>Number of positions filled. The tower moves it on after its last layer, with <see cref="Advance"/>.</summary>
    public long Length { get; private set; }

    /// <summary>The mask of a masked prefix at the head of the cache, bool [batch, prefix], or null when all of it is real.</summary>
    public Tensor? PrefixMask { get; private set; }

    /// <summary>Keeps the mask of the fusion's prefix for the later calls.</summary>
    public void SetPrefixMask(Tensor mask)
    {
        PrefixMask?.Dispose();
        PrefixMask = mask.clone().DetachFromDisposeScope();
    }

    /// <summary>Writes new keys and values [batch, heads, new, head width] of one layer behind the filled positions.</summary>
    /// <returns>Views of all keys and values up to and including the new ones.</returns>
    /// <exception cref="InvalidOperationException">There is no room for them.</exception>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor newKeys, Tensor newValues)
    {
        var count = newKeys.size(2);
        if (Length + count > Capacity)
            throw new InvalidOperationException($"The cache holds {Capacity} positions; {Length} are filled and {count} more do not fit.");
        using (var target = keys[layer].narrow(2, Length, count)) target.copy_(newKeys);
        using (var target = values[layer].narrow(2, Length, count)) target.copy_(newValues);
        return (keys[layer].narrow(2, 0, Length + count), values[layer].narrow(2, 0, Length + count));
    }

    /// <summary>Counts new positions as filled, once all layers have them.</summary>
    public void Advance(long count) => Length += count;

    /// <summary>Forgets the positions after the first <paramref name="length"/>; with the last of them goes the prefix and its mask.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer positions are filled.</exception>
    public void Truncate(long length)
    {
        if (length < 0 || length > Length) throw new ArgumentOutOfRangeException(nameof(length), length, $"The cache has {Length} filled positions.");
        Length = length;
        if (length > 0) return;
        PrefixMask?.Dispose();
        PrefixMask = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in keys) tensor.Dispose();
        foreach (var tensor in values) tensor.Dispose();
        PrefixMask?.Dispose();
    }
}
