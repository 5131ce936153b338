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
    private readonly LayerNorm[] norms;
    private readonly FusedLinear[] keyValues;

    public CrossAttentionFusion(int every, BuildContext context) : base(nameof(CrossAttentionFusion))
    {
        (this.every, width, type) = (every, context.Dimension("D"), context.Dtype);
        headWidth = new long[] { 32, 16, 8, 4, 2, 1 }.First(candidate => width % candidate == 0);
        var count = (int)(context.Dimension("L") + every - 1) / every;
        layers = [.. Enumerable.Range(0, count).Select(_ => new CrossAttention(width, headWidth, count, context))];
        for (var i = 0; i < count; i++) register_module($"layers.{i}", layers[i]);
        norms = new LayerNorm[context.Inputs.Count];
        keyValues = new FusedLinear[context.Inputs.Count];
        for (var i = 0; i < norms.Length; i++)
        {
            var (name, inputs) = (context.Inputs[i].Name, context.Inputs[i].Shape[2]!.Value);
            norms[i] = new LayerNorm(inputs, context);
            keyValues[i] = new FusedLinear(name, inputs, [("key_value", 2 * width * count)], context);
            register_module($"norms.{name}", norms[i]);
            register_module($"key_value.{name}", keyValues[i]);
        }
    }

    public IFusionContext Fuse(IReadOnlyList<Masked> modalities)
    {
        var batch = modalities[0].Data.size(0);
        // Keys and values of every layer depend on the modalities alone: one product each for all layers.
        var parts = new List<Tensor> { zeros(batch, 1, 2 * width * layers.Length, dtype: type, device: modalities[0].Data.device) };
        var masks = new List<Tensor> { ones(batch, 1, dtype: ScalarType.Bool, device: modalities[0].Mask.device) };
        for (var i = 0; i < modalities.Count; i++)
        {
            parts.Add(keyValues[i].Forward(norms[i].Forward(modalities[i].Data)));  // [B, N_i, layers * 2 * D]
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
