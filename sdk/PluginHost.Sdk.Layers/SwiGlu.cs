using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>Gated feed-forward layer: <c>W_down (silu(W_gate x) · W_up x)</c> (Shazeer 2020). Gate and up are one product.</summary>
public sealed class SwiGlu : nn.Module
{
    private readonly FusedLinear inputs;
    private readonly FusedLinear output;

    /// <summary>Builds the layer.</summary>
    /// <param name="name">Its dotted name: <c>layers.3.feed_forward</c>.</param>
    /// <param name="shape">Widths.</param>
    /// <param name="context">Says type and device.</param>
    public SwiGlu(string name, BlockShape shape, BuildContext context) : base(nameof(SwiGlu))
    {
        inputs = new FusedLinear(name, shape.Width, [("gate_proj", shape.FeedForward), ("up_proj", shape.FeedForward)], context);
        output = new FusedLinear(name, shape.FeedForward, [("down_proj", shape.Width)], context, Initial.Residual(shape.Layers));
        register_module("gate_up", inputs);
        register_module("down_proj", output);
        Projections = [.. inputs.Projections, .. output.Projections];
    }

    /// <summary>gate_proj, up_proj and down_proj.</summary>
    public IReadOnlyList<Projection> Projections { get; }

    /// <summary>[..., width] to the same.</summary>
    public Tensor Forward(Tensor x)
    {
        var parts = inputs.Forward(x).chunk(2, -1);
        return output.Forward(nn.functional.silu(parts[0]) * parts[1]);
    }
}
