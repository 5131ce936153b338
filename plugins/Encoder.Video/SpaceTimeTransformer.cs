// TimeSformer with divided attention (Bertasius et al. 2021) over tubes of frames (ViViT, Arnab et al. 2021) with a stem of 3D convolutions.
// Deviations: fixed sines and cosines for time, row and column, so that any size works; gated feed-forward layers and RMS norms, as in the other towers.
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Encoder.Video;

internal sealed class SpaceTimeTransformer : nn.Module, IEncoder, ITower, IDescribedTower
{
    private readonly long tube;
    private readonly ScalarType type;
    private readonly BuildContext context;
    private readonly BlockShape shape;
    private readonly TubeEmbedding tubes;
    private readonly DividedBlock[] blocks;
    private readonly RmsNorm norm;
    private readonly PooledHead pooled;

    public SpaceTimeTransformer(VideoOptions options, BuildContext context) : base(nameof(SpaceTimeTransformer))
    {
        (tube, type, this.context) = (options.Tube, context.Dtype, context);
        tubes = new TubeEmbedding(options.Width, options.Patch, options.Tube, options.StemWidth, context);
        // Three branches a block write into the residual stream where a BlockShape counts on two.
        shape = new BlockShape(options.Width, (3 * options.Layers + 1) / 2, options.Heads, options.Heads, options.FeedForward, options.Dropout);
        blocks = [.. Enumerable.Range(0, options.Layers).Select(layer => new DividedBlock(layer, shape, context))];
        norm = new RmsNorm(options.Width, context, shape.NormEpsilon);
        pooled = new PooledHead(options.Width, options.Pooled, context);
        register_module(nameof(tubes), tubes);
        register_module("layers", nn.ModuleList(blocks));
        register_module(nameof(norm), norm);
        register_module(nameof(pooled), pooled);
    }

    public IReadOnlyList<Projection> Projections => [.. blocks.SelectMany(block => block.Projections)];

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => [.. blocks.SelectMany(block => block.KeyValueSlots)];

    public TowerDescription Describe() => shape.Describe(TowerKind.VideoEncoder,
    [
        .. tubes.Describe(context.Dimension("F"), context.Dimension("H"), context.Dimension("W")), .. blocks.SelectMany(block => block.Describe()),
        ("norm.weight", norm.Weight), .. pooled.Describe(),
    ]) with
    {
        Layers = blocks.Length,
        PixelMean = [.. Enumerable.Repeat(0.5, (int)context.Dimension("C"))],
        PixelDeviation = [.. Enumerable.Repeat(0.5, (int)context.Dimension("C"))],
        Strides = tubes.Strides,
    };

    public Encoded Encode(Masked input)
    {
        var x = tubes.Forward(input.Data, input.Mask);                             // [B, times, rows * columns, width]
        var (batch, times, places) = (x.size(0), x.size(1), x.size(2));
        var seen = input.Mask.view(batch, times, tube).any(2);                     // [B, times]: a tube is there if one of its frames is
        var hidden = AttentionMask.Keys(seen, type).repeat_interleave(places, 0);  // [B * places, 1, 1, times]
        foreach (var block in blocks) x = block.Forward(x, hidden);
        var mask = seen.unsqueeze(2).expand(batch, times, places).reshape(batch, times * places);
        var tokens = new Masked(norm.Forward(x.reshape(batch, times * places, -1)), mask);
        return new Encoded(tokens, pooled.Forward(tokens));
    }
}
