using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Fusion.Mid;

internal sealed class CrossAttentionFusion : nn.Module, IFusion
{
    private readonly int every;
    private readonly long width;
    private readonly long headWidth;
    private readonly ScalarType type;
    private readonly CrossAttention[] layers;
    private readonly ModalityKeyValue[] modalityKeyValues;

    public CrossAttentionFusion(int every, BuildContext context) : base(nameof(CrossAttentionFusion))
    {
        (this.every, width, type) = (every, context.Dimension("D"), context.Dtype);
        headWidth = new long[] { 32, 16, 8, 4, 2, 1 }.First(candidate => width % candidate == 0);
        var count = (int)(context.Dimension("L") + every - 1) / every;
        layers = [.. Enumerable.Range(0, count).Select(_ => new CrossAttention(width, headWidth, count, context))];
        modalityKeyValues = [.. context.Inputs.Select(input => new ModalityKeyValue(input, 2 * width * count, context))];
        register_module(nameof(layers), nn.ModuleList(layers));
        register_module("modalities", nn.ModuleDict([.. context.Inputs.Select((input, i) => (input.Name, modalityKeyValues[i]))]));
    }

    public IFusionContext Fuse(IReadOnlyList<Masked> modalities)
    {
        var batch = modalities[0].Data.size(0);
        // Keys and values of every layer depend on the modalities alone: one product each for all layers.
        var parts = new List<Tensor> { zeros(batch, 1, 2 * width * layers.Length, dtype: type, device: modalities[0].Data.device) };
        var masks = new List<Tensor> { ones(batch, 1, dtype: ScalarType.Bool, device: modalities[0].Mask.device) };
        for (var i = 0; i < modalities.Count; i++)
        {
            parts.Add(modalityKeyValues[i].Forward(modalities[i].Data));  // [B, N_i, layers * 2 * D]
            masks.Add(modalities[i].Mask);
        }
        var keyValue = cat(parts, 1).view(batch, -1, 2 * layers.Length * (width / headWidth), headWidth)
            .transpose(1, 2).chunk(2 * layers.Length, 1);                           // 2 · layers × [B, heads, N, head width]
        var mask = AttentionMask.Additive(cat(masks, 1), type).unsqueeze(1).unsqueeze(1);
        return new Context(this, keyValue, mask);
    }

    private sealed class Context(CrossAttentionFusion fusion, Tensor[] keyValue, Tensor mask) : IFusionContext
    {
        public Tensor BetweenLayers(int layer, Tensor hidden)
        {
            if (layer % fusion.every != 0) return hidden;
            var index = layer / fusion.every;
            return fusion.layers[index].Forward(hidden, keyValue[2 * index], keyValue[2 * index + 1], mask);
        }
    }
}

/// <summary>Keys and values that one modality offers to all layers.</summary>
internal sealed class ModalityKeyValue : nn.Module
{
    private readonly LayerNorm norm;
    private readonly FusedLinear projection;

    public ModalityKeyValue(SolvedPort input, long outputs, BuildContext context) : base(nameof(ModalityKeyValue))
    {
        var width = input.Shape[2]!.Value;
        norm = new LayerNorm(width, context);
        projection = new FusedLinear(input.Name, width, [("key_value", outputs)], context);
        register_module(nameof(norm), norm);
        register_module("key_value", projection);
    }

    /// <summary>[B, N, D_i] to [B, N, all layers' keys and values].</summary>
    public Tensor Forward(Tensor tokens) => projection.Forward(norm.Forward(tokens));
}
