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
        var (batch, tokens, device) = (text.Ids.size(0), text.Ids.size(1), text.Ids.device);
        var own = AttentionMask.Causal(tokens, tokens, device).unsqueeze(0);   // [1, T, T]
        if (text.Packed) own = own.logical_and(text.Segments.unsqueeze(2).eq(text.Segments.unsqueeze(1)));
        if (prefix is null) return own.unsqueeze(1);

        var length = prefix.Data.size(1);
        var real = prefix.Mask.unsqueeze(1);                                   // [B, 1, P]
        // A prefix position always sees itself: a row of nothing would turn into NaN.
        var itself = eye(length, dtype: ScalarType.Bool, device: device).unsqueeze(0);
        var none = zeros(batch, length, tokens, dtype: ScalarType.Bool, device: device);
        var upper = cat([real.logical_or(itself), none], 2);                   // [B, P, P + T]
        var lower = cat([real.expand(batch, tokens, length), own.expand(batch, tokens, tokens)], 2);
        return cat([upper, lower], 1).unsqueeze(1);                            // [B, 1, P + T, P + T]
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

    /// <summary>Positions of prefix and packed text: the prefix counts from 0, every segment goes on where the prefix ends.</summary>
    public static Tensor Positions(TextBatch text, Masked? prefix)
    {
        if (prefix is null) return text.Positions;
        var length = prefix.Data.size(1);
        var before = arange(length, dtype: ScalarType.Int64, device: text.Ids.device).unsqueeze(0).expand(text.Ids.size(0), length);
        return cat([before, text.Positions + length], 1);
    }
}
