// Vision transformer (Dosovitskiy et al. 2021) with fixed two-dimensional sine and cosine positions (He et al. 2022) and, if
// wanted, an early-convolution stem (Xiao et al. 2021), which needs far fewer pictures to learn edges and colours.
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Encoder.Vit;

internal sealed class VisionTransformer : nn.Module, IEncoder
{
    private readonly double patchDropout;
    private readonly Augmentation? augmentation;
    private readonly Patches patches;
    private readonly GridPositions positions;
    private readonly TransformerStack stack;
    private readonly PooledHead pooled;

    public VisionTransformer(VitOptions options, BuildContext context) : base(nameof(VisionTransformer))
    {
        patchDropout = options.PatchDropout;
        augmentation = options.Augment > 0 ? new Augmentation(options.Augment) : null;
        positions = new GridPositions(options.Width, context);
        patches = new Patches(options, context.Dimension("C"), context);
        stack = new TransformerStack(
            new BlockShape(options.Width, options.Layers, options.Heads, options.Heads, options.FeedForward, options.Dropout), context);
        pooled = new PooledHead(options.Width, options.Pooled, context);
        register_module(nameof(patches), patches);
        register_module(nameof(stack), stack);
        register_module(nameof(pooled), pooled);
    }

    public Encoded Encode(Masked input)
    {
        var pictures = training && augmentation is not null ? augmentation.Apply(input.Data) : input.Data;
        var grid = patches.Forward(pictures * 2 - 1);                             // [B, width, rows, columns]
        var (batch, rows, columns) = (grid.size(0), grid.size(2), grid.size(3));
        var x = grid.flatten(2).transpose(1, 2) + positions.For(rows, columns);   // [B, rows * columns, width]
        if (training && patchDropout > 0) x = Subset(x);
        // All tokens of a row are real or all are absent, so that attention within a row needs no mask.
        x = stack.Forward(x, new AttentionPass(null, Causal: false, null, null));
        var tokens = new Masked(x, input.Mask.unsqueeze(1).expand(batch, x.size(1)));
        return new Encoded(tokens, pooled.Forward(tokens));
    }

    private Tensor Subset(Tensor x)
    {
        var kept = Math.Max(1, (long)Math.Round(x.size(1) * (1 - patchDropout)));
        var order = rand(x.size(0), x.size(1), device: x.device).argsort(1).narrow(1, 0, kept);  // [B, kept]
        return x.gather(1, order.unsqueeze(-1).expand(-1, -1, x.size(2)));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) positions.Dispose();
        base.Dispose(disposing);
    }
}
