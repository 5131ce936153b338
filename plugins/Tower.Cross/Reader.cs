using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Tower.Cross;

/// <summary>The transformer over question and answer together.</summary>
internal sealed class Reader : nn.Module
{
    private const double RotaryBase = 10000;

    private readonly ScalarType type;
    private readonly FusedLinear input;
    private readonly Rotary rotary;
    private readonly TransformerStack stack;

    public Reader(CrossOptions options, BuildContext context) : base(nameof(Reader))
    {
        type = context.Dtype;
        input = new FusedLinear("input", context.Dimension("D") + 4, [("proj", options.Width)], context, biased: true);
        rotary = new Rotary(options.Width / options.Heads, RotaryBase, context);
        stack = new TransformerStack(new BlockShape(options.Width, options.Layers, options.Heads, options.Heads, options.FeedForward, options.Dropout), context);
        register_module(nameof(input), input);
        register_module(nameof(stack), stack);
    }

    /// <summary>Contextual vectors: [pairs, length, width].</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="vectors">Directions of tokens: [pairs, length, D].</param>
    /// <param name="weights">How much each word counts: [pairs, length, 1].</param>
    /// <param name="best">See <see cref="Matching.Best"/>: [pairs, length].</param>
    /// <param name="same">See <see cref="Matching.Same"/>: [pairs, query, passage].</param>
    public Tensor Forward(Pairs pairs, Tensor vectors, Tensor weights, Tensor best, Tensor same)
    {
        var side = cat([zeros_like(pairs.Query(pairs.Words)), ones_like(pairs.Passage(pairs.Words))], 1);
        var known = torch.stack([best, Matching.Exact(same), weights.squeeze(2).log1p(), side], 2); // [pairs, length, 4]
        var x = input.Forward(cat([vectors * Math.Sqrt(vectors.size(2)), known * Math.Sqrt(vectors.size(2) / 4.0)], 2));        // [pairs, length, width]
        return stack.Forward(x, new AttentionPass(AttentionMask.Keys(pairs.Mask, type), Causal: false, rotary.At(pairs.Positions, Limit(pairs)), null));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) rotary.Dispose();
        base.Dispose(disposing);
    }

    private static long Limit(Pairs pairs) => Pairs.AnswerPosition + pairs.Ids.size(1);
}
