using Decoder.Causal;
using Fusion.Early;
using Fusion.Late;
using Fusion.Mid;
using Fusion.SingleStream;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class DecoderTests
{
    private static readonly Dictionary<string, long> Sizes = new() { ["D"] = 32, ["L"] = 2, ["V"] = 20 };

    private static IDecoder Decoder() => Build.Node<IDecoder>(
        new CausalDecoder(new CausalOptions(Width: 32, Layers: 2, Heads: 4, KeyValueHeads: 2, FeedForward: 24)), Sizes);

    private static IFusion Fusion(string name)
    {
        INodePlugin plugin = name switch
        {
            "early" => new EarlyFusion(),
            "mid" => new MidFusion(new MidOptions()),
            "late" => new LateFusion(),
            _ => new SingleStreamFusion(),
        };
        return Build.Node<IFusion>(plugin, Sizes, Build.Port("image", Width(name, 12)), Build.Port("audio", Width(name, 8)));
    }

    // A single stream takes tokens at the tower's width.
    private static long Width(string strategy, long own) => strategy == "single-stream" ? Sizes["D"] : own;

    // The second row hears nothing; the first sees only a part of its picture.
    private static Masked[] Modalities(string strategy, long rows)
    {
        var image = ones(rows, 5, dtype: ScalarType.Bool);
        image[0, 4] = false;
        var audio = ones(rows, 3, dtype: ScalarType.Bool);
        if (rows > 1) audio[1] = false;
        return [Build.Tokens(1, rows, 5, Width(strategy, 12), image), Build.Tokens(2, rows, 3, Width(strategy, 8), audio)];
    }

    [Theory]
    [InlineData("early")]
    [InlineData("mid")]
    [InlineData("late")]
    [InlineData("single-stream")]
    public void Forward_MaskedModality_DoesNotLeak(string strategy)
    {
        using var scope = NewDisposeScope();
        var (decoder, fusion) = (Decoder(), Fusion(strategy));
        var ids = Build.Text(new long[,] { { 1, 5, 9 }, { 4, 2, 8 } });
        var modalities = Modalities(strategy, 2);
        var before = decoder.Forward(ids, fusion.Fuse(modalities), null);

        modalities[0].Data[0, 4] = 50;
        modalities[1].Data[1] = -50;
        var after = decoder.Forward(ids, fusion.Fuse(modalities), null);
        modalities[0].Data[0, 0] = 3;
        var seen = decoder.Forward(ids, fusion.Fuse(modalities), null);

        Assert.Equal(0, Build.Distance(before, after));
        Assert.True(Build.Distance(before[0], seen[0]) > 1e-4);
        Assert.Equal(0, Build.Distance(before[1], seen[1]));
    }

    [Theory]
    [InlineData("mid")]
    [InlineData("late")]
    public void Forward_AllModalitiesAbsent_EqualsNoFusion(string strategy)
    {
        using var scope = NewDisposeScope();
        var (decoder, fusion) = (Decoder(), Fusion(strategy));
        var ids = Build.Text(new long[,] { { 1, 5, 9 } });
        Masked[] absent = [.. Modalities(strategy, 1).Select(modality => modality with { Mask = zeros_like(modality.Mask) })];

        var with = decoder.Forward(ids, fusion.Fuse(absent), null);

        Assert.Equal(0, Build.Distance(with, decoder.Forward(ids, null, null)));
    }

    [Fact]
    public void Forward_SingleStream_MarksTheTextTooAndWithACache()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (decoder, fusion) = (Decoder(), Fusion("single-stream"));
        var context = fusion.Fuse(Modalities("single-stream", 1));
        var whole = decoder.Forward(Build.Text(new long[,] { { 1, 5, 9 } }), context, null);

        using var cache = decoder.CreateCache(1, 16);
        decoder.Forward(Build.Text(new long[,] { { 1, 5 } }), context, cache);
        var last = decoder.Forward(Build.Text(new long[,] { { 9 } }), context, cache);

        Assert.InRange(Build.Distance(whole[0, 2], last[0, 0]), 0, 1e-4f);
        Assert.True(Build.Distance(context.AtInput(zeros(1, 1, 32)), zeros(1, 1, 32)) > 0);
    }

    [Fact]
    public void Projections_OfTwoLayers_HaveStableNames()
    {
        using var scope = NewDisposeScope();

        var names = Decoder().Projections.Select(projection => projection.Name).ToArray();

        Assert.Equal(14, names.Length);
        Assert.Contains("layers.1.attention.q_proj", names);
    }
}
