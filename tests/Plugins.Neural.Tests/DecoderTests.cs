using Decoder.Causal;
using Fusion.Early;
using Fusion.Late;
using Fusion.Mid;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

[Collection("torch")]
public class DecoderTests
{
    private static readonly Dictionary<string, long> Sizes = new() { ["D"] = 32, ["L"] = 2, ["V"] = 20 };

    private static IDecoder Decoder(bool tied = true) => Build.Node<IDecoder>(
        new CausalDecoder(new CausalOptions(Width: 32, Layers: 2, Heads: 4, KeyValueHeads: 2, FeedForward: 24, TiedHead: tied)), Sizes);

    private static IFusion? Fusion(string name)
    {
        INodePlugin? plugin = name switch
        {
            "early" => new EarlyFusion(),
            "mid" => new MidFusion(new MidOptions()),
            "late" => new LateFusion(),
            _ => null,
        };
        return plugin is null ? null : Build.Node<IFusion>(plugin, Sizes, Build.Port("image", 12), Build.Port("audio", 8));
    }

    // The second row hears nothing; the first sees only a part of its picture.
    private static Masked[] Modalities(long rows)
    {
        var image = ones(rows, 5, dtype: ScalarType.Bool);
        image[0, 4] = false;
        var audio = ones(rows, 3, dtype: ScalarType.Bool);
        if (rows > 1) audio[1] = false;
        return [Build.Tokens(1, rows, 5, 12, image), Build.Tokens(2, rows, 3, 8, audio)];
    }

    private static Tensor Logits(IDecoder decoder, long[,] ids, IFusion? fusion = null) =>
        decoder.Forward(Build.Text(ids), fusion?.Fuse(Modalities(ids.GetLength(0))), null);

    [Theory]
    [InlineData("none", false)]
    [InlineData("early", false)]
    [InlineData("mid", false)]
    [InlineData("late", false)]
    [InlineData("none", true)]
    [InlineData("early", true)]
    [InlineData("mid", true)]
    public void Forward_WithCache_EqualsUncached(string strategy, bool slots)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (decoder, fusion) = (Decoder(), Fusion(strategy));
        if (slots) Fill(decoder);
        var ids = new long[,] { { 1, 5, 9, 3, 7, 2 }, { 4, 4, 8, 1, 0, 6 } };
        var context = fusion?.Fuse(Modalities(2));
        var expected = decoder.Forward(Build.Text(ids), context, null);

        using var cache = decoder.CreateCache(2, 16);
        var parts = new List<Tensor>();
        foreach (var (first, count) in new[] { (0, 2), (2, 1), (3, 2), (5, 1) })
        {
            var part = new long[2, count];
            for (var i = 0; i < count; i++) (part[0, i], part[1, i]) = (ids[0, first + i], ids[1, first + i]);
            parts.Add(decoder.Forward(Build.Text(part), context, cache));
        }

        Assert.Equal(strategy == "early" ? 14 : 6, cache.Length);
        Assert.InRange(Build.Distance(expected, cat(parts, 1)), 0, 1e-5f);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("early")]
    [InlineData("mid")]
    [InlineData("late")]
    public void Forward_PackedSegments_EqualEachAlone(string strategy)
    {
        using var scope = NewDisposeScope();
        var (decoder, fusion) = (Decoder(), Fusion(strategy));
        var packed = Build.Text(new long[,] { { 1, 5, 9, 3, 7, 2, -1 } }, new long[,] { { 1, 1, 1, 2, 2, 2, 0 } });

        var together = decoder.Forward(packed, fusion?.Fuse(Modalities(1)), null);
        var first = Logits(decoder, new long[,] { { 1, 5, 9 } }, fusion);
        var second = Logits(decoder, new long[,] { { 3, 7, 2 } }, fusion);

        Assert.InRange(Build.Distance(together.narrow(1, 0, 3), first), 0, 1e-5f);
        Assert.InRange(Build.Distance(together.narrow(1, 3, 3), second), 0, 1e-5f);
        Assert.True(Build.Finite(together));
    }

    [Theory]
    [InlineData("early")]
    [InlineData("mid")]
    [InlineData("late")]
    public void Forward_MaskedModality_DoesNotLeak(string strategy)
    {
        using var scope = NewDisposeScope();
        var (decoder, fusion) = (Decoder(), Fusion(strategy)!);
        var ids = Build.Text(new long[,] { { 1, 5, 9 }, { 4, 2, 8 } });
        var modalities = Modalities(2);
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
        var (decoder, fusion) = (Decoder(), Fusion(strategy)!);
        var ids = new long[,] { { 1, 5, 9 } };
        Masked[] absent = [.. Modalities(1).Select(modality => modality with { Mask = zeros_like(modality.Mask) })];

        var with = decoder.Forward(Build.Text(ids), fusion.Fuse(absent), null);

        Assert.Equal(0, Build.Distance(with, Logits(decoder, ids)));
    }

    [Fact]
    public void Forward_EarlyFusionAllAbsent_IsFiniteAndInert()
    {
        using var scope = NewDisposeScope();
        var (decoder, fusion) = (Decoder(), Fusion("early")!);
        var ids = Build.Text(new long[,] { { 1, 5, 9 } });
        Masked[] absent = [.. Modalities(1).Select(modality => modality with { Mask = zeros_like(modality.Mask) })];
        Masked[] other = [.. absent.Select(modality => modality with { Data = modality.Data * 3 })];

        var one = decoder.Forward(ids, fusion.Fuse(absent), null);

        Assert.True(Build.Finite(one));
        Assert.Equal(0, Build.Distance(one, decoder.Forward(ids, fusion.Fuse(other), null)));
    }

    [Fact]
    public void Forward_LaterTokenAndPadding_DoNotReachEarlierTokens()
    {
        using var scope = NewDisposeScope();
        var decoder = Decoder();

        var whole = Logits(decoder, new long[,] { { 1, 5, 9, 3 } });
        var changed = Logits(decoder, new long[,] { { 1, 5, 9, 7 } });
        var padded = Logits(decoder, new long[,] { { 1, 5, 9, -1 } });

        Assert.InRange(Build.Distance(whole.narrow(1, 0, 3), changed.narrow(1, 0, 3)), 0, 1e-6f);
        Assert.InRange(Build.Distance(whole.narrow(1, 0, 3), padded.narrow(1, 0, 3)), 0, 1e-6f);
        Assert.True(Build.Distance(whole[0, 3], changed[0, 3]) > 1e-4);
    }

    [Fact]
    public void Forward_OneTokenOneRow_HasLogitsForIt()
    {
        using var scope = NewDisposeScope();

        var logits = Logits(Decoder(tied: false), new long[,] { { 3 } });

        Assert.Equal([1L, 1L, 20L], logits.shape);
        Assert.True(Build.Finite(logits));
    }

    [Fact]
    public void Adapter_OnQueryProjection_AddsItsDelta()
    {
        using var scope = NewDisposeScope();
        var decoder = Decoder();
        var ids = new long[,] { { 1, 5, 9 } };
        var before = Logits(decoder, ids);
        var projection = decoder.Projections.Single(item => item.Name == "layers.1.attention.q_proj");

        projection.Adapter = new Shift(zeros(32, 32));
        Assert.InRange(Build.Distance(before, Logits(decoder, ids)), 0, 1e-6f);

        projection.Adapter = new Shift(ones(32, 32));
        Assert.True(Build.Distance(before, Logits(decoder, ids)) > 1e-5);
    }

    [Fact]
    public void Adapter_OnEveryProjection_EqualsChangedWeight()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (adapted, changed) = (Decoder(), Decoder());
        var ids = new long[,] { { 1, 5, 9, 2 } };
        manual_seed(3);
        foreach (var (one, two) in adapted.Projections.Zip(changed.Projections))
        {
            var delta = randn(one.Rows, one.Weight.size(1)) * 0.1;
            one.Adapter = new Shift(delta);
            two.Weight.narrow(0, two.FirstRow, two.Rows).add_(delta);
        }

        Assert.InRange(Build.Distance(Logits(adapted, ids), Logits(changed, ids)), 0, 1e-5f);
        Assert.Equal(14, adapted.Projections.Select(item => item.Name).Distinct().Count());
    }

    [Fact]
    public void KeyValueSlot_Filled_IsSeenByEveryQuery()
    {
        using var scope = NewDisposeScope();
        var decoder = Decoder();
        var ids = new long[,] { { 1, 5, 9 } };
        var before = Logits(decoder, ids);

        Fill(decoder);
        var after = Logits(decoder, ids);

        for (var position = 0; position < 3; position++)
            Assert.True(Build.Distance(before[0, position], after[0, position]) > 1e-5);
    }

    private static void Fill(IDecoder decoder)
    {
        manual_seed(11);
        foreach (var slot in decoder.KeyValueSlots)
        {
            slot.Keys = randn(slot.Heads, 2, slot.HeadWidth);
            slot.Values = randn(slot.Heads, 2, slot.HeadWidth);
        }
    }

    private sealed class Shift(Tensor weight) : IProjectionAdapter
    {
        public Tensor Delta(Tensor input) => nn.functional.linear(input, weight);
    }
}
