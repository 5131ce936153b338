using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Who sees whom, as numbers added to attention scores: 0 where a query sees a key, minus infinity where not.</summary>
public static class AttentionMask
{
    /// <summary>Turns "sees" into numbers to add.</summary>
    /// <param name="visible">Bool, true where a query sees a key; every query must see a key.</param>
    /// <param name="dtype">Type of the scores.</param>
    public static Tensor Additive(Tensor visible, ScalarType dtype) =>
        zeros(visible.shape, dtype: dtype, device: visible.device).masked_fill_(visible.logical_not(), double.NegativeInfinity);

    /// <summary>Bidirectional attention over the real tokens. A row without any sees everything, which keeps it finite.</summary>
    /// <param name="mask">Bool [batch, tokens].</param>
    /// <param name="dtype">Type of the scores.</param>
    /// <returns>[batch, 1, 1, tokens].</returns>
    public static Tensor Keys(Tensor mask, ScalarType dtype) =>
        Additive(mask.logical_or(mask.any(1, keepdim: true).logical_not()), dtype).unsqueeze(1).unsqueeze(1);

    /// <summary>Bidirectional attention over the real tokens; a position that is not real sees itself, which keeps it finite.</summary>
    /// <param name="mask">Bool [batch, tokens].</param>
    /// <returns>Bool [batch, tokens, tokens].</returns>
    public static Tensor Pairs(Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        return mask.unsqueeze(1).logical_or(eye(mask.size(1), dtype: ScalarType.Bool, device: mask.device).unsqueeze(0));
    }

    /// <summary>Causal attention of the last queries of a sequence.</summary>
    /// <param name="queries">Number of queries, the last of the keys.</param>
    /// <param name="keys">Number of keys.</param>
    /// <param name="device">Where it is needed.</param>
    /// <returns>Bool [queries, keys].</returns>
    public static Tensor Causal(long queries, long keys, Device device) =>
        ones(queries, keys, dtype: ScalarType.Bool, device: device).tril(keys - queries);

    /// <summary>A mask extended over the keys of a slot, which stand before a tower's own.</summary>
    /// <param name="slot">What the slot holds.</param>
    /// <param name="mask">Additive [batch or 1, 1, queries or 1, keys], or null: every query sees every key.</param>
    /// <param name="keys">Number of the tower's own keys.</param>
    /// <param name="dtype">Type of the scores.</param>
    /// <returns>Additive [batch or 1, 1, queries or 1, slot + keys], or null where nothing is hidden.</returns>
    public static Tensor? Before(KeyValues slot, Tensor? mask, long keys, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(slot);
        if (slot.Mask is not { } seen) return mask is null ? null : nn.functional.pad(mask, [slot.Length, 0]);
        var hidden = Additive(seen, dtype).unsqueeze(1).unsqueeze(1);                             // [batch, 1, 1, slot]
        if (mask is null) return nn.functional.pad(hidden, [0, keys]);
        return cat([hidden.expand(-1, -1, mask.size(2), -1), mask.expand(hidden.size(0), -1, -1, -1)], 3);
    }
}
