using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Decoder.Causal;

/// <summary>Which position sees which, for one forward pass: bool [batch or 1, 1, queries, keys], true where it sees.</summary>
internal static class Visibility
{
    /// <summary>A pass from the start: prefix and text, both whole.</summary>
    public static Tensor Starting(TextBatch text, Masked? prefix)
    {
        var own = AttentionMask.Causal(text.Ids.size(1), text.Ids.size(1), text.Ids.device).unsqueeze(0);  // [1, T, T]
        if (text.Packed) own = own.logical_and(PrefixedText.SameSegment(text));
        return PrefixedText.Visible(own, prefix?.Mask);
    }

    /// <summary>Further tokens after those in a cache; null when every one of them sees every position.</summary>
    public static Tensor? Continuing(TextBatch text, KeyValueCache cache)
    {
        var (batch, tokens, keys) = (text.Ids.size(0), text.Ids.size(1), cache.Length + text.Ids.size(1));
        if (tokens == 1 && cache.PrefixMask is null) return null;
        var causal = AttentionMask.Causal(tokens, keys, text.Ids.device).view(1, 1, tokens, keys);
        if (cache.PrefixMask is not { } prefix) return causal;
        var rest = ones(batch, keys - prefix.size(1), dtype: ScalarType.Bool, device: prefix.device);
        return causal.logical_and(cat([prefix, rest], 1).view(batch, 1, 1, keys));
    }
}
