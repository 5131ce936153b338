using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// Kind <c>fusion</c>: how other modalities reach a transformer tower. Ports: variadic inputs <c>seq[B,N_i,D_i]</c>, output
/// <c>context</c> of type <c>fusion[D,L,V]</c>, whose D (width), L (layers) and V (vocabulary) are solved from the tower.
/// </summary>
public interface IFusion : IGraphNode
{
    /// <summary>Prepares a batch: whatever depends on the modalities alone is computed here, once.</summary>
    /// <param name="modalities">Tokens [B, N_i, D_i] with masks, in config order.</param>
    /// <returns>What the tower calls at the three fusion points; it belongs to this batch alone.</returns>
    IFusionContext Fuse(IReadOnlyList<Masked> modalities);

    void IGraphNode.Run(ReadOnlySpan<object?> inputs, Span<object?> outputs)
    {
        var modalities = new Masked[inputs.Length];
        for (var i = 0; i < inputs.Length; i++) modalities[i] = (Masked)inputs[i]!;
        outputs[0] = Fuse(modalities);
    }
}

/// <summary>
/// The three fusion points of a tower (its input, between its layers, its output), for one batch. A strategy implements those it needs; the defaults change nothing. Passed
/// to each forward call and never kept by the tower.
/// </summary>
public interface IFusionContext
{
    /// <summary>Early fusion: tokens [B, P, D] that stand before the text and that every text token may see. Null: none.</summary>
    Masked? Prefix => null;

    /// <summary>Single stream: the text's embeddings, before the first layer sees them beside the <see cref="Prefix"/>.</summary>
    /// <param name="embedded">[B, T, D]; with a cache the new tokens alone.</param>
    /// <returns>[B, T, D].</returns>
    Tensor AtInput(Tensor embedded) => embedded;

    /// <summary>Mid fusion: called after layer <paramref name="layer"/>.</summary>
    /// <param name="layer">Index of the layer that has just run, from 0.</param>
    /// <param name="hidden">Hidden states of the text [B, T, D] (without the prefix).</param>
    /// <returns>The new hidden states [B, T, D].</returns>
    Tensor BetweenLayers(int layer, Tensor hidden) => hidden;

    /// <summary>Late fusion: decisions combined.</summary>
    /// <param name="hidden">The tower's final, normalised hidden states [B, T, D].</param>
    /// <param name="logits">The tower's own decision [B, T, V]: logits of a decoder, the tokens themselves of an encoder (V = D).</param>
    /// <returns>The combined logits [B, T, V].</returns>
    Tensor AtOutput(Tensor hidden, Tensor logits) => logits;
}
