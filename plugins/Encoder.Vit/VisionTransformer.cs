// Vision transformer (Dosovitskiy et al. 2021) over patches with fixed two-dimensional positions and an optional convolutional stem.
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Encoder.Vit;

internal sealed class VisionTransformer : nn.Module, IEncoder, ITower, IDescribedTower
{
    private readonly long patch;
    private readonly BuildContext context;
    private readonly double patchDropout;
    private readonly PatchEmbedding patches;
    private readonly TransformerStack stack;
    private readonly PooledHead pooled;

    public VisionTransformer(VitOptions options, BuildContext context) : base(nameof(VisionTransformer))
    {
        (patch, this.context, patchDropout) = (options.Patch, context, options.PatchDropout);
        patches = new PatchEmbedding(new PatchShape(options.Width, options.Patch, options.Stem, options.StemWidth, options.StemShrink).Checked("encoder.vit"), context.Dimension("C"), context);
        stack = new TransformerStack(
            new BlockShape(options.Width, options.Layers, options.Heads, options.Heads, options.FeedForward, options.Dropout), context);
        pooled = new PooledHead(options.Width, options.Pooled, context);
        register_module(nameof(patches), patches);
        register_module(nameof(stack), stack);
        register_module(nameof(pooled), pooled);
    }

    public IReadOnlyList<Projection> Projections => stack.Projections;

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => stack.KeyValueSlots;

    public TowerDescription Describe() =>
        stack.Describe(TowerKind.PictureEncoder, [.. patches.Describe(context.Dimension("H") / patch, context.Dimension("W") / patch), .. pooled.Describe()]) with
        {
            PixelMean = [.. Enumerable.Repeat(0.5, (int)context.Dimension("C"))],
            PixelDeviation = [.. Enumerable.Repeat(0.5, (int)context.Dimension("C"))],
        };

    public Encoded Encode(Masked input)
    {
        var x = patches.Forward(input.Data);                                      // [B, rows * columns, width]
        if (training && patchDropout > 0) x = Subset(x);
        // All tokens of a row are real or all are absent, so that attention within a row needs no mask.
        x = stack.Forward(x, new AttentionPass(null, Causal: false, null, null));
        var tokens = new Masked(x, input.Mask.unsqueeze(1).expand(x.size(0), x.size(1)));
        return new Encoded(tokens, pooled.Forward(tokens));
    }

    private Tensor Subset(Tensor x)
    {
        var kept = Math.Max(1, (long)Math.Round(x.size(1) * (1 - patchDropout)));
        var order = rand(x.size(0), x.size(1), device: x.device).argsort(1).narrow(1, 0, kept);  // [B, kept]
        return x.gather(1, order.unsqueeze(-1).expand(-1, -1, x.size(2)));
    }
}
