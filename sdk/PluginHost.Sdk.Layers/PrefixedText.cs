using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>
/// A text behind a prefix of other modalities' tokens, as every tower sees it: text sees the whole prefix, the prefix sees itself in both
/// directions and no text.
/// </summary>
public static class PrefixedText
{
    /// <summary>Which position sees which.</summary>
    /// <param name="own">Which text position sees which, bool [batch or 1, tokens, tokens].</param>
    /// <param name="prefix">Mask of the prefix, bool [batch, prefix]; null: there is none.</param>
    /// <returns>Bool [batch or 1, 1, prefix + tokens, prefix + tokens].</returns>
    public static Tensor Visible(Tensor own, Tensor? prefix)
    {
        if (prefix is null) return own.unsqueeze(1);
        var (batch, length, tokens) = (prefix.size(0), prefix.size(1), own.size(1));
        var real = prefix.unsqueeze(1);                                        // [B, 1, P]
        // A prefix position always sees itself: a row of nothing would turn into NaN.
        var itself = eye(length, dtype: ScalarType.Bool, device: own.device).unsqueeze(0);
        var none = zeros(batch, length, tokens, dtype: ScalarType.Bool, device: own.device);
        var upper = cat([real.logical_or(itself), none], 2);                   // [B, P, P + T]
        var lower = cat([real.expand(batch, tokens, length), own.expand(batch, tokens, tokens)], 2);
        return cat([upper, lower], 1).unsqueeze(1);                            // [B, 1, P + T, P + T]
    }

    /// <summary>Which position of a packed text belongs to the same segment as which; padding belongs together.</summary>
    /// <param name="text">The text.</param>
    /// <returns>Bool [batch, tokens, tokens].</returns>
    public static Tensor SameSegment(TextBatch text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Segments.unsqueeze(2).eq(text.Segments.unsqueeze(1));
    }

    /// <summary>Positions: the prefix counts from 0, every segment goes on where the prefix ends.</summary>
    /// <param name="text">The text.</param>
    /// <param name="prefix">Length of the prefix.</param>
    /// <returns>Int64 [batch, prefix + tokens].</returns>
    public static Tensor Positions(TextBatch text, long prefix)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (prefix == 0) return text.Positions;
        var before = arange(prefix, dtype: ScalarType.Int64, device: text.Ids.device).unsqueeze(0).expand(text.Ids.size(0), prefix);
        return cat([before, text.Positions + prefix], 1);
    }
}
