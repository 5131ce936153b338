using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>The numbers of a stack of transformer blocks.</summary>
/// <param name="Width">Width of the hidden states.</param>
/// <param name="Layers">Number of blocks in the stack; scales the initial weights.</param>
/// <param name="Heads">Query heads; divides the width.</param>
/// <param name="KeyValueHeads">Key/value heads; divides the heads.</param>
/// <param name="FeedForward">Width inside the feed-forward layer.</param>
/// <param name="Dropout">Chance that an output of a residual branch is dropped in training.</param>
public sealed record BlockShape(long Width, int Layers, long Heads, long KeyValueHeads, long FeedForward, double Dropout = 0)
{
    /// <summary>Width of a head; the width by the heads unless a published model has it otherwise.</summary>
    public long HeadWidth { get; init; } = Width / Heads;

    /// <summary>What the norms add to the mean of the squares.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Whether the maps to queries, keys and values have biases (Qwen2).</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Whether each head's queries and keys are normalised before they are rotated (Qwen3).</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>A tower of these numbers.</summary>
    /// <param name="kind">What the tower reads and gives.</param>
    /// <param name="tensors">All its tensors.</param>
    public TowerDescription Describe(TowerKind kind, IEnumerable<(string Name, Tensor Value)> tensors) => new()
    {
        Kind = kind,
        Width = Width,
        Layers = Layers,
        Heads = Heads,
        KeyValueHeads = KeyValueHeads,
        HeadWidth = HeadWidth,
        FeedForward = FeedForward,
        NormEpsilon = NormEpsilon,
        Activation = TowerActivation.GatedSilu,
        Tensors = TowerDescription.Named(tensors),
    };
}

/// <summary>
/// A pre-norm transformer block: <c>x + attention(norm(x))</c>, then <c>x + feed_forward(norm(x))</c>. Whether it is causal or
/// bidirectional is said by each call's <see cref="AttentionPass"/>.
/// </summary>
public sealed class TransformerBlock : nn.Module
{
    private readonly int layer;
    private readonly double chance;
    private readonly bool checkpoint;
    private readonly RmsNorm attentionNorm;
    private readonly RmsNorm feedForwardNorm;
    private readonly GroupedQueryAttention attention;
    private readonly SwiGlu feedForward;

    /// <summary>Builds the block.</summary>
    /// <param name="layer">Its index, from 0: part of the names of its projections and its place in a cache.</param>
    /// <param name="shape">The numbers of the stack.</param>
    /// <param name="context">Says type and device.</param>
    public TransformerBlock(int layer, BlockShape shape, BuildContext context) : base(nameof(TransformerBlock))
    {
        (this.layer, chance) = (layer, shape.Dropout);
        // The last block too: what it keeps would stand beside the logits, their softmax and their gradient, where memory is at its peak.
        checkpoint = context.Checkpoint;
        attentionNorm = new RmsNorm(shape.Width, context, shape.NormEpsilon);
        attention = new GroupedQueryAttention($"layers.{layer}.attention", layer, shape, context);
        feedForwardNorm = new RmsNorm(shape.Width, context, shape.NormEpsilon);
        feedForward = new SwiGlu($"layers.{layer}.feed_forward", shape, context);
        register_module("attention_norm", attentionNorm);
        register_module("attention", attention);
        register_module("feed_forward_norm", feedForwardNorm);
        register_module("feed_forward", feedForward);
        Projections = [.. attention.Projections, .. feedForward.Projections];
    }

    /// <summary>The seven projections of the block.</summary>
    public IReadOnlyList<Projection> Projections { get; }

    /// <summary>The slot of its attention layer.</summary>
    public KeyValueSlot Slot => attention.Slot;

    /// <summary>[batch, tokens, width] to the same.</summary>
    public Tensor Forward(Tensor x, AttentionPass pass) =>
        checkpoint && training && pass.Cache is null ? GradientCheckpoint.Run(input => Compute(input, pass), x, Weights()) : Compute(x, pass);

    /// <summary>Its tensors by name, <c>layers.3.attention.q_proj.weight</c>: views of what is stored, in the caller's dispose scope.</summary>
    public IEnumerable<(string Name, Tensor Value)> Describe() =>
    [
        ($"layers.{layer}.attention_norm.weight", attentionNorm.Weight), .. attention.Describe($"layers.{layer}.attention"),
        ($"layers.{layer}.feed_forward_norm.weight", feedForwardNorm.Weight), .. feedForward.Describe(),
    ];

    private Tensor Compute(Tensor x, AttentionPass pass)
    {
        // Only what the backward pass has asked for outlives the block.
        using var scope = NewDisposeScope();
        x = x.add(Drop(attention.Forward(attentionNorm.Forward(x), pass)), Scalars.One);
        return x.add(Drop(feedForward.Forward(feedForwardNorm.Forward(x))), Scalars.One).MoveToOuterDisposeScope();
    }

    // Adapters and slots are not the block's own, but learn from it.
    private IEnumerable<Tensor> Weights() =>
        [.. parameters(), .. Projections.SelectMany(projection => projection.Adapter?.Weights ?? []), .. Slot.Content is { } extra ? new[] { extra.Keys, extra.Values } : []];

    private Tensor Drop(Tensor x) => training && chance > 0 ? nn.functional.dropout(x, chance, true) : x;
}
