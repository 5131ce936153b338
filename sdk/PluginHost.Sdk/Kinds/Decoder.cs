using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// Kind <c>decoder</c>: a causal tower. Ports: inputs <c>ids</c> (<c>ids[B,T,V]</c>) and optional <c>context</c>
/// (<c>fusion[{Width},{Layers},V]</c>), output <c>logits</c> (<c>f[B,T,V]</c>), in this order.
/// </summary>
public interface IDecoder : IGraphNode, ITower
{
    /// <summary>One forward pass.</summary>
    /// <param name="text">Token ids [B, T]. With a cache: the tokens that follow those already in it.</param>
    /// <param name="context">The fusion of this batch, or null.</param>
    /// <param name="cache">
    /// Null in training. In generation the first call (an empty cache) also takes the context's prefix in; later calls continue.
    /// Cached calls have neither padding nor several segments.
    /// </param>
    /// <returns>Logits [B, T, V]; position t predicts the token after text position t.</returns>
    Tensor Forward(TextBatch text, IFusionContext? context, KeyValueCache? cache);

    /// <summary>A preallocated cache that fits this tower.</summary>
    /// <param name="batch">Number of rows.</param>
    /// <param name="capacity">Number of positions, the fusion's prefix included.</param>
    KeyValueCache CreateCache(int batch, int capacity);

    void IGraphNode.Run(ReadOnlySpan<object?> inputs, Span<object?> outputs) =>
        outputs[0] = Forward((TextBatch)inputs[0]!, (IFusionContext?)inputs[1], null);
}
