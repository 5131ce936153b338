using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using LayerNorm = PluginHost.Sdk.Layers.LayerNorm;

namespace Encoder.ClipVision;

/// <summary>SigLIP's pooled vector: a learnt query attends to all tokens, then one feed-forward layer (Lee et al. 2019, Set Transformer).</summary>
internal sealed class AttentionPool : nn.Module
{
    private readonly long heads;
    private readonly ClipActivation activation;
    private readonly Parameter probe;
    private readonly FusedLinear inputs;
    private readonly FusedLinear output;
    private readonly LayerNorm norm;
    private readonly FusedLinear up;
    private readonly FusedLinear down;

    public AttentionPool(ClipVisionOptions options, BuildContext context) : base(nameof(AttentionPool))
    {
        (heads, activation) = (options.Heads, options.Activation);
        var width = options.Width;
        probe = Initial.Normal(context, [width]);
        inputs = new FusedLinear("pooled.attention", width, [("in_proj", 3 * width)], context, biased: true);
        output = new FusedLinear("pooled.attention", width, [("out_proj", width)], context, biased: true);
        norm = new LayerNorm(width, context, options.NormEpsilon);
        up = new FusedLinear("pooled", width, [("fc1", options.FeedForward)], context, biased: true);
        down = new FusedLinear("pooled", options.FeedForward, [("fc2", width)], context, biased: true);
        register_parameter(nameof(probe), probe);
        register_module("in_proj", inputs);
        register_module("out_proj", output);
        register_module(nameof(norm), norm);
        register_module("fc1", up);
        register_module("fc2", down);
    }

    /// <summary>[B, tokens, width] to [B, width].</summary>
    public Tensor Forward(Tensor tokens)
    {
        var (batch, count, width) = (tokens.size(0), tokens.size(1), tokens.size(2));
        // The probe goes through the same three maps as the tokens, of which it needs the first and they the others.
        var query = inputs.Forward(probe.view(1, 1, width)).narrow(-1, 0, width).expand(batch, 1, width);
        var others = inputs.Forward(tokens);
        var attended = Arithmetic.Attention(Heads(query, 1), Heads(others.narrow(-1, width, width), count), Heads(others.narrow(-1, 2 * width, width), count), null, causal: false);
        var x = output.Forward(attended.transpose(1, 2).reshape(batch, width));
        return x + down.Forward(ClipBlock.Activate(up.Forward(norm.Forward(x)), activation));

        Tensor Heads(Tensor x, long rows) => x.reshape(batch, rows, heads, width / heads).transpose(1, 2);
    }

    public IEnumerable<(string Name, Tensor Value)> Describe() =>
        [("pooled.probe", probe), .. inputs.Describe(), .. output.Describe(), .. norm.Describe("pooled.norm"), .. up.Describe(), .. down.Describe()];
}
