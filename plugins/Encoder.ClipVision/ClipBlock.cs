using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;
using LayerNorm = PluginHost.Sdk.Layers.LayerNorm;

namespace Encoder.ClipVision;

/// <summary><c>x + attention(norm(x))</c>, then <c>x + fc2(act(fc1(norm(x))))</c>, all maps with biases.</summary>
internal sealed class ClipBlock : nn.Module
{
    private readonly int layer;
    private readonly bool checkpoint;
    private readonly long heads;
    private readonly ClipActivation activation;
    private readonly LayerNorm attentionNorm;
    private readonly LayerNorm feedForwardNorm;
    private readonly FusedLinear inputs;
    private readonly FusedLinear output;
    private readonly FusedLinear up;
    private readonly FusedLinear down;

    public ClipBlock(int layer, ClipVisionOptions options, BuildContext context) : base(nameof(ClipBlock))
    {
        (this.layer, checkpoint, heads, activation) = (layer, context.Checkpoint, options.Heads, options.Activation);
        var (width, residual) = (options.Width, Initial.Residual(options.Layers));
        attentionNorm = new LayerNorm(width, context, options.NormEpsilon);
        inputs = new FusedLinear($"layers.{layer}.attention", width, [("q_proj", width), ("k_proj", width), ("v_proj", width)], context, biased: true);
        output = new FusedLinear($"layers.{layer}.attention", width, [("o_proj", width)], context, residual, biased: true);
        feedForwardNorm = new LayerNorm(width, context, options.NormEpsilon);
        up = new FusedLinear($"layers.{layer}.feed_forward", width, [("fc1", options.FeedForward)], context, biased: true);
        down = new FusedLinear($"layers.{layer}.feed_forward", options.FeedForward, [("fc2", width)], context, residual, biased: true);
        register_module("attention_norm", attentionNorm);
        register_module("qkv", inputs);
        register_module("o_proj", output);
        register_module("feed_forward_norm", feedForwardNorm);
        register_module("fc1", up);
        register_module("fc2", down);
        Projections = [.. inputs.Projections, .. output.Projections, .. up.Projections, .. down.Projections];
    }

    public IReadOnlyList<Projection> Projections { get; }

    /// <summary>[B, tokens, width] to the same.</summary>
    public Tensor Forward(Tensor x) =>
        checkpoint && training ? GradientCheckpoint.Run(Compute, x, [.. parameters(), .. Projections.SelectMany(projection => projection.Adapter?.Weights ?? [])]) : Compute(x);

    public IEnumerable<(string Name, Tensor Value)> Describe() =>
    [
        .. attentionNorm.Describe($"layers.{layer}.attention_norm"), .. inputs.Describe(), .. output.Describe(),
        .. feedForwardNorm.Describe($"layers.{layer}.feed_forward_norm"), .. up.Describe(), .. down.Describe(),
    ];

    /// <summary>The non-linearity.</summary>
    public static Tensor Activate(Tensor x, ClipActivation activation) => activation switch
    {
        ClipActivation.QuickGelu => x * (x * 1.702).sigmoid(),
        ClipActivation.GeluTanh => x * 0.5 * ((x + x * x * x * 0.044715) * Math.Sqrt(2 / Math.PI)).tanh().add(1),
        _ => nn.functional.gelu(x),
    };

    private Tensor Compute(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (batch, tokens, width) = (x.size(0), x.size(1), x.size(2));
        var parts = inputs.Forward(attentionNorm.Forward(x)).view(batch, tokens, 3, heads, width / heads).permute(2, 0, 3, 1, 4);  // [3, B, heads, tokens, head width]
        var attended = Arithmetic.Attention(parts[0], parts[1], parts[2], null, causal: false);
        x = x + output.Forward(attended.transpose(1, 2).reshape(batch, tokens, width));
        x = x + down.Forward(Activate(up.Forward(feedForwardNorm.Forward(x)), activation));
        return x.MoveToOuterDisposeScope();
    }
}
