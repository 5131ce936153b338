// The picture towers of CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023), tensor for tensor as published: patches, learnt positions, pre-norm
// blocks with LayerNorm and biases. Tokens may be taken before the last block, where they still say where things are (Liu et al. 2023, LLaVA).
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Convolution = PluginHost.Sdk.Layers.Convolution;
using LayerNorm = PluginHost.Sdk.Layers.LayerNorm;

namespace Encoder.ClipVision;

internal sealed class ClipTower : nn.Module, IEncoder, ITower, IDescribedTower
{
    private static readonly double[] ClipMean = [0.48145466, 0.4578275, 0.40821073];
    private static readonly double[] ClipDeviation = [0.26862954, 0.26130258, 0.27577711];

    private readonly ClipVisionOptions options;
    private readonly double[] mean;
    private readonly double[] deviation;
    private readonly Tensor shift;
    private readonly Tensor scale;
    private readonly Parameter patches;
    private readonly Parameter? patchBias;
    private readonly Parameter? classToken;
    private readonly Parameter positions;
    private readonly LayerNorm? inputNorm;
    private readonly ClipBlock[] blocks;
    private readonly LayerNorm norm;
    private readonly AttentionPool? pool;
    private readonly FusedLinear? projection;

    public ClipTower(ClipVisionOptions options, BuildContext context) : base(nameof(ClipTower))
    {
        this.options = options;
        var channels = context.Dimension("C");
        var tokens = context.Dimension("H") / options.Patch * (context.Dimension("W") / options.Patch);
        mean = [.. Enumerable.Range(0, (int)channels).Select(channel => options.Pixels == ClipPixels.Clip && channels == 3 ? ClipMean[channel] : 0.5)];
        deviation = [.. Enumerable.Range(0, (int)channels).Select(channel => options.Pixels == ClipPixels.Clip && channels == 3 ? ClipDeviation[channel] : 0.5)];
        (shift, scale) = (Channels(mean, context), Channels(deviation, context));
        patches = Initial.Normal(context, [options.Width, channels, options.Patch, options.Patch], Math.Sqrt(1.0 / (channels * options.Patch * options.Patch)));
        positions = Initial.Normal(context, [tokens + (options.ClassToken ? 1 : 0), options.Width]);
        norm = new LayerNorm(options.Width, context, options.NormEpsilon);
        blocks = [.. Enumerable.Range(0, options.Layers).Select(layer => new ClipBlock(layer, options, context))];
        register_parameter(nameof(patches), patches);
        register_parameter(nameof(positions), positions);
        register_module("layers", nn.ModuleList([.. blocks]));
        register_module(nameof(norm), norm);
        if (options.PatchBias) register_parameter("patch_bias", patchBias = Initial.Constant(context, [options.Width], 0));
        if (options.ClassToken) register_parameter("class_token", classToken = Initial.Normal(context, [options.Width]));
        if (options.InputNorm) register_module("input_norm", inputNorm = new LayerNorm(options.Width, context, options.NormEpsilon));
        if (options.AttentionPool) register_module("pool", pool = new AttentionPool(options, context));
        if (options.Projection) register_module("projection", projection = new FusedLinear("pooled", options.Width, [("proj", options.Pooled)], context));
        Projections = [.. blocks.SelectMany(block => block.Projections), .. projection?.Projections ?? []];
    }

    public IReadOnlyList<Projection> Projections { get; }

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => [];

    public Encoded Encode(Masked input)
    {
        var grid = Convolution.Forward((input.Data - shift) / scale, patches, patchBias, options.Patch, 0);  // [B, width, rows, columns]
        var x = grid.flatten(2).transpose(1, 2);                                                             // [B, rows * columns, width]
        if (classToken is not null) x = cat([classToken.expand(x.size(0), 1, options.Width), x], 1);
        x = x + positions;
        if (inputNorm is not null) x = inputNorm.Forward(x);
        var taken = x;
        for (var layer = 0; layer < blocks.Length; layer++)
        {
            x = blocks[layer].Forward(x);
            if (layer == TokenLayers - 1) taken = x;
        }
        x = norm.Forward(x);
        if (options.TokenLayer == -1) taken = x;
        if (classToken is not null) taken = taken.narrow(1, 1, taken.size(1) - 1);
        var real = input.Mask.unsqueeze(1);                                                                  // [B, 1]
        return new Encoded(new Masked(taken, real.expand(taken.size(0), taken.size(1))), Pool(x) * real.to(x.dtype));
    }

    public TowerDescription Describe() => new()
    {
        Kind = TowerKind.PictureEncoder,
        Width = options.Width,
        Layers = options.Layers,
        Heads = options.Heads,
        KeyValueHeads = options.Heads,
        HeadWidth = options.Width / options.Heads,
        FeedForward = options.FeedForward,
        NormEpsilon = options.NormEpsilon,
        Activation = options.Activation switch
        {
            ClipActivation.QuickGelu => TowerActivation.QuickGelu,
            ClipActivation.GeluTanh => TowerActivation.GeluTanh,
            _ => TowerActivation.Gelu,
        },
        PixelMean = mean,
        PixelDeviation = deviation,
        TokenLayers = options.TokenLayer == -1 ? null : TokenLayers,
        Tensors = TowerDescription.Named(Named()),
    };

    private int TokenLayers => options.Layers + 1 + options.TokenLayer;

    private Tensor Pool(Tensor x)
    {
        var pooled = pool?.Forward(x) ?? x.select(1, 0);
        return projection?.Forward(pooled) ?? pooled;
    }

    private IEnumerable<(string Name, Tensor Value)> Named()
    {
        yield return ("patches.weight", patches);
        if (patchBias is not null) yield return ("patches.bias", patchBias);
        if (classToken is not null) yield return ("class_token", classToken);
        yield return ("positions", positions);
        foreach (var item in inputNorm?.Describe("input_norm") ?? []) yield return item;
        foreach (var item in blocks.SelectMany(block => block.Describe())) yield return item;
        foreach (var item in norm.Describe("norm")) yield return item;
        foreach (var item in pool?.Describe() ?? []) yield return item;
        foreach (var item in projection?.Describe() ?? []) yield return item;
    }

    private static Tensor Channels(double[] values, BuildContext context)
    {
        using var scope = NewDisposeScope();
        return tensor(values).to(context.Dtype).to(context.Device).view(1, values.Length, 1, 1).DetachFromDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            shift.Dispose();
            scale.Dispose();
        }
        base.Dispose(disposing);
    }
}
