// Pictures row by row: each row of pixels becomes one token.  token_h = W_t x_h;  pooled = W_p mean(tokens)
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace PluginKind.PluginName;

/// <summary>Pictures to tokens, a row of pixels each.</summary>
[Plugin("plugin-kind.plugin-name", "Pictures to tokens: a linear map of each row of pixels.")]
[Input("pixels", "pixels[B,C,H,W]")]
[Output("tokens", "seq[B,H,{Width}]")]
[Output("pooled", "f[B,{Pooled}]")]
[Cost(Parameters = "C*W*{Width} + {Width}*{Pooled}", Activations = "B*H*{Width} + B*{Pooled}")]
public sealed class PluginNameEncoder(PluginNameOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Rows(options, context);
}

/// <summary>Settings of <see cref="PluginNameEncoder"/>.</summary>
public sealed record PluginNameOptions(
    [property: Range(8, 8192), Description("Width of the tokens.")] int Width = 64,
    [property: Range(8, 8192), Description("Width of the pooled vector.")] int Pooled = 64);

internal sealed class Rows : nn.Module, IEncoder
{
    private readonly FusedLinear tokens;
    private readonly FusedLinear pooled;

    public Rows(PluginNameOptions options, BuildContext context) : base(nameof(Rows))
    {
        tokens = new FusedLinear("tokens", context.Dimension("C") * context.Dimension("W"), [("proj", options.Width)], context);
        pooled = new FusedLinear("pooled", options.Width, [("proj", options.Pooled)], context);
        register_module(nameof(tokens), tokens);
        register_module(nameof(pooled), pooled);
    }

    public Encoded Encode(Masked input)
    {
        var x = tokens.Forward(input.Data.transpose(1, 2).flatten(2));             // [B, C, H, W] -> [B, H, C·W] -> [B, H, width]
        var mask = input.Mask.unsqueeze(1).expand(x.size(0), x.size(1));
        // A row without a picture has a pooled vector of zeros.
        var mean = where(mask.unsqueeze(-1), x, 0).mean([1]);
        return new Encoded(new Masked(x, mask), pooled.Forward(mean));
    }
}
