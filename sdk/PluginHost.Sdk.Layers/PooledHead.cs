using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>One vector a row from its tokens: masked mean, layer norm, linear. Zero for a row without tokens.</summary>
public sealed class PooledHead : nn.Module
{
    private readonly LayerNorm norm;
    private readonly FusedLinear projection;

    /// <summary>Builds the head.</summary>
    /// <param name="width">Width of the tokens.</param>
    /// <param name="pooled">Width of the pooled vector.</param>
    /// <param name="context">Says type and device.</param>
    public PooledHead(long width, long pooled, BuildContext context) : base(nameof(PooledHead))
    {
        norm = new LayerNorm(width, context);
        projection = new FusedLinear("pooled", width, [("proj", pooled)], context);
        register_module(nameof(norm), norm);
        register_module("proj", projection);
    }

    /// <summary>Its tensors by name: <c>pooled.norm.weight</c>, <c>pooled.proj.weight</c>.</summary>
    public IEnumerable<(string Name, Tensor Value)> Describe() => [.. norm.Describe("pooled.norm"), .. projection.Describe()];

    /// <summary>Pools tokens [batch, tokens, width] under their mask [batch, tokens] to [batch, pooled].</summary>
    public Tensor Forward(Masked tokens)
    {
        var real = tokens.Mask.to(tokens.Data.dtype);  // [batch, tokens]
        var count = real.sum(1, keepdim: true);        // [batch, 1]
        var mean = (tokens.Data * real.unsqueeze(-1)).sum(1) / count.clamp_min(1);
        return projection.Forward(norm.Forward(mean)) * count.clamp_max(1);
    }
}
