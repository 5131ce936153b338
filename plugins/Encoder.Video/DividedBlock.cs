using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Encoder.Video;

/// <summary>
/// <c>x + time(norm(x))</c>, then <c>x + space(norm(x))</c>, then <c>x + feed_forward(norm(x))</c>. Attention over time sees one place at all
/// times, attention over space all places at one time: places + times comparisons a token instead of places · times.
/// </summary>
internal sealed class DividedBlock : nn.Module
{
    private readonly int layer;
    private readonly double chance;
    private readonly bool checkpoint;
    private readonly RmsNorm timeNorm;
    private readonly RmsNorm spaceNorm;
    private readonly RmsNorm feedForwardNorm;
    private readonly GroupedQueryAttention time;
    private readonly GroupedQueryAttention space;
    private readonly SwiGlu feedForward;

    public DividedBlock(int layer, BlockShape shape, BuildContext context) : base(nameof(DividedBlock))
    {
        (this.layer, chance, checkpoint) = (layer, shape.Dropout, context.Checkpoint);
        timeNorm = new RmsNorm(shape.Width, context, shape.NormEpsilon);
        time = new GroupedQueryAttention($"layers.{layer}.time", layer, shape, context);
        spaceNorm = new RmsNorm(shape.Width, context, shape.NormEpsilon);
        space = new GroupedQueryAttention($"layers.{layer}.space", layer, shape, context);
        feedForwardNorm = new RmsNorm(shape.Width, context, shape.NormEpsilon);
        feedForward = new SwiGlu($"layers.{layer}.feed_forward", shape, context);
        register_module("time_norm", timeNorm);
        register_module("time", time);
        register_module("space_norm", spaceNorm);
        register_module("space", space);
        register_module("feed_forward_norm", feedForwardNorm);
        register_module("feed_forward", feedForward);
        Projections = [.. time.Projections, .. space.Projections, .. feedForward.Projections];
    }

    /// <summary>The projections of both attentions and of the feed-forward layer.</summary>
    public IReadOnlyList<Projection> Projections { get; }

    /// <summary>The slots of attention over time and over space.</summary>
    public IReadOnlyList<KeyValueSlot> KeyValueSlots => [time.Slot, space.Slot];

    /// <summary>Its tensors by name, <c>layers.3.time.q_proj.weight</c>: views of what is stored, in the caller's dispose scope.</summary>
    public IEnumerable<(string Name, Tensor Value)> Describe() =>
    [
        ($"layers.{layer}.time_norm.weight", timeNorm.Weight), .. time.Describe($"layers.{layer}.time"),
        ($"layers.{layer}.space_norm.weight", spaceNorm.Weight), .. space.Describe($"layers.{layer}.space"),
        ($"layers.{layer}.feed_forward_norm.weight", feedForwardNorm.Weight), .. feedForward.Describe(),
    ];

    /// <summary>[batch, times, places, width] to the same.</summary>
    /// <param name="x">Tokens.</param>
    /// <param name="hidden">Added to the scores of attention over time: [batch · places, 1, 1, times].</param>
    public Tensor Forward(Tensor x, Tensor hidden) =>
        checkpoint && training ? GradientCheckpoint.Run(input => Compute(input, hidden), x, Weights()) : Compute(x, hidden);

    /// <summary>The branch of attention over time: each place by itself.</summary>
    internal Tensor Time(Tensor x, Tensor? hidden)
    {
        var (batch, times, places, width) = (x.size(0), x.size(1), x.size(2), x.size(3));
        var columns = timeNorm.Forward(x).transpose(1, 2).reshape(batch * places, times, width);
        var attended = time.Forward(columns, new AttentionPass(hidden, Causal: false, null, null));
        return attended.view(batch, places, times, width).transpose(1, 2);       // [batch, times, places, width]
    }

    /// <summary>The branch of attention over space: each time by itself. All places of a time are there or none is.</summary>
    internal Tensor Space(Tensor x)
    {
        var (batch, times, places, width) = (x.size(0), x.size(1), x.size(2), x.size(3));
        var frames = spaceNorm.Forward(x).reshape(batch * times, places, width);
        return space.Forward(frames, new AttentionPass(null, Causal: false, null, null)).view(batch, times, places, width);
    }

    private Tensor Compute(Tensor x, Tensor hidden)
    {
        // Only what the backward pass has asked for outlives the block.
        using var scope = NewDisposeScope();
        x = (x + Drop(Time(x, hidden))).contiguous();
        x += Drop(Space(x));
        return (x + Drop(feedForward.Forward(feedForwardNorm.Forward(x)))).MoveToOuterDisposeScope();
    }

    // Adapters and slots are not the block's own, but learn from it.
    private IEnumerable<Tensor> Weights() =>
        [.. parameters(), .. Projections.SelectMany(projection => projection.Adapter?.Weights ?? []), .. KeyValueSlots.Select(slot => slot.Content).OfType<KeyValues>().SelectMany(extra => new[] { extra.Keys, extra.Values })];

    private Tensor Drop(Tensor x) => training && chance > 0 ? nn.functional.dropout(x, chance, true) : x;
}
