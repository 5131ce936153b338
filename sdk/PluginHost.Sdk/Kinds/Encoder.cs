using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// A plugin that becomes a node of the graph: kinds <c>encoder</c>, <c>fusion</c>, <c>decoder</c>, <c>objective</c>, and any kind
/// that a plugin defines itself. The built node implements the kind's interface.
/// </summary>
public interface INodePlugin
{
    /// <summary>Builds the node. Settings, wiring and dimensions have been checked; weights come from torch's seeded generator.</summary>
    IGraphNode Build(BuildContext context);
}

/// <summary>
/// Kind <c>encoder</c>: a modality becomes tokens and one pooled vector. Ports: one input, outputs <c>tokens</c> and <c>pooled</c>, in this
/// order. A transformer tower may offer the three fusion points: it then has a second, optional input <c>context</c> of type
/// <c>fusion[{Width},{Layers},{Width}]</c>.
/// </summary>
public interface IEncoder : IGraphNode
{
    /// <summary>Encodes a batch.</summary>
    /// <param name="input">Pictures [B,C,H,W], waves [B,S], videos [B,F,C,H,W], or a <see cref="TextBatch"/>.</param>
    Encoded Encode(Masked input);

    /// <summary>Encodes a batch that reads other modalities; an encoder without the input <c>context</c> has none to read.</summary>
    /// <param name="input">As above.</param>
    /// <param name="context">The fusion of this batch, or null.</param>
    Encoded Encode(Masked input, IFusionContext? context) => Encode(input);

    void IGraphNode.Run(ReadOnlySpan<object?> inputs, Span<object?> outputs)
    {
        var encoded = Encode((Masked)inputs[0]!, inputs.Length > 1 ? (IFusionContext?)inputs[1] : null);
        outputs[0] = encoded.Tokens;
        outputs[1] = encoded.Pooled;
    }
}

/// <summary>What an encoder makes of a batch.</summary>
/// <param name="Tokens">[batch, tokens, width] with mask [batch, tokens]; a row without the modality is all false.</param>
/// <param name="Pooled">[batch, width], one vector a row; all zeros for a row without the modality.</param>
public sealed record Encoded(Masked Tokens, Tensor Pooled);
