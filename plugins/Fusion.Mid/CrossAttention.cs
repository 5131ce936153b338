using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fusion.Mid;

/// <summary>The cross-attention that follows one layer of the tower.</summary>
internal sealed class CrossAttention : nn.Module
{
    private readonly long headWidth;
    private readonly RmsNorm norm;
    private readonly FusedLinear query;
    private readonly FusedLinear output;
    private readonly Parameter gate;

    public CrossAttention(long width, long headWidth, int layers, BuildContext context) : base(nameof(CrossAttention))
    {
        this.headWidth = headWidth;
        norm = new RmsNorm(width, context);
        query = new FusedLinear("cross_attention", width, [("q_proj", width)], context);
        output = new FusedLinear("cross_attention", width, [("o_proj", width)], context, Initial.Residual(layers));
        gate = Initial.Constant(context, [1], 1);
        register_module(nameof(norm), norm);
        register_module("q_proj", query);
        register_module("o_proj", output);
        register_parameter(nameof(gate), gate);
    }

    /// <summary>Text [B, T, D] attends to keys and values [B, heads, N, head width].</summary>
    public Tensor Forward(Tensor hidden, Tensor keys, Tensor values, Tensor mask)
    {
        var (batch, tokens, width) = (hidden.size(0), hidden.size(1), hidden.size(2));
        var queries = query.Forward(norm.Forward(hidden)).view(batch, tokens, width / headWidth, headWidth).transpose(1, 2);
        var attended = Arithmetic.Attention(queries, keys, values, mask, causal: false).transpose(1, 2).reshape(batch, tokens, width);
        return addcmul(hidden, output.Forward(attended), gate.tanh(), Scalars.One);
    }
}
