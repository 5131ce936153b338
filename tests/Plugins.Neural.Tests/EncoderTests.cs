using Encoder.LogMel;
using Encoder.Patches;
using Encoder.TextTransformer;
using Encoder.Vit;
using Fusion.Mid;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class EncoderTests
{
    private static IEncoder Vit(VitOptions? options = null) => Build.Node<IEncoder>(
        new VitEncoder(options ?? new VitOptions(Width: 16, Layers: 1, Heads: 2, FeedForward: 8, Pooled: 6, Stem: true)),
        new() { ["C"] = 3, ["H"] = 8, ["W"] = 12 });

    private static IEncoder Text() => Build.Node<IEncoder>(
        new TextTransformerEncoder(new(Width: 16, Layers: 2, Heads: 2, FeedForward: 8, Pooled: 6)), new() { ["V"] = 20 });

    private static IEncoder Audio(LogMelOptions? options = null, long rate = 4000) => Build.Node<IEncoder>(
        new LogMelEncoder(options ?? new LogMelOptions(Width: 16, Layers: 1, Heads: 2, FeedForward: 8, Pooled: 6)), new() { ["R"] = rate });

    [Fact]
    public void Vit_PatchDropout_DropsOnlyInTraining()
    {
        using var scope = NewDisposeScope();
        var encoder = Vit(new VitOptions(Width: 16, Layers: 1, Heads: 2, FeedForward: 8, PatchDropout: 0.5));
        var pictures = new Masked(rand(1, 3, 8, 12), ones(1, dtype: ScalarType.Bool));

        Assert.Equal(6, encoder.Encode(pictures).Tokens.Data.size(1));
        ((nn.Module)encoder).train();
        Assert.Equal(3, encoder.Encode(pictures).Tokens.Data.size(1));
    }

    [Fact]
    public void Vit_StemThatDoesNotDivideThePatch_SaysWhatToDo()
    {
        var error = Assert.Throws<UserErrorException>(() => Vit(new VitOptions(Patch: 3, Stem: true)));

        Assert.Equal("encoder.vit: patch is 3, but the stem shrinks pictures by 2 (stemShrink), which must divide patch; "
            + "use a patch of 4 or set \"stem\": false.", error.Message);
    }

    [Fact]
    public void Vit_StemThatDoesNotHalve_SaysWhatToDo()
    {
        var error = Assert.Throws<UserErrorException>(() => Vit(new VitOptions(Patch: 12, Stem: true, StemShrink: 12)));

        Assert.Equal("encoder.vit: stemShrink is 12, but each convolution halves: use 8.", error.Message);
    }

    [Fact]
    public void Text_Padding_DoesNotLeak()
    {
        using var scope = NewDisposeScope();
        var encoder = Text();
        var longer = Build.Text(new long[,] { { 3, 7, 1, -1, -1 }, { -1, -1, -1, -1, -1 } });
        var changed = longer with { Ids = longer.Ids + longer.Mask.logical_not().to(ScalarType.Int64) * 9 };

        var (one, two) = (encoder.Encode(longer), encoder.Encode(new Masked(changed.Ids, changed.Mask)));
        var alone = encoder.Encode(Build.Text(new long[,] { { 3, 7, 1 } }));

        Assert.Equal(0, Build.Distance(one.Pooled, two.Pooled));
        Assert.InRange(Build.Distance(one.Pooled[0], alone.Pooled[0]), 0, 1e-5f);
        Assert.Equal(0, one.Pooled[1].abs().sum().item<float>());
        Assert.True(Build.Finite(one.Tokens.Data));
    }

    [Fact]
    public void Text_OrderOfWords_Matters()
    {
        using var scope = NewDisposeScope();
        var encoder = Text();

        var there = encoder.Encode(Build.Text(new long[,] { { 3, 7, 1 } }));
        var back = encoder.Encode(Build.Text(new long[,] { { 1, 7, 3 } }));

        Assert.True(Build.Distance(there.Pooled, back.Pooled) > 1e-4);
    }

    [Fact]
    public void Patches_StemThatDoesNotDivideThePatch_SaysWhatToDo()
    {
        var error = Assert.Throws<UserErrorException>(() => Build.Node<IEncoder>(
            new PatchesEncoder(new PatchesOptions(Patch: 3, Stem: true)), new() { ["C"] = 3, ["H"] = 9, ["W"] = 9 }));

        Assert.StartsWith("encoder.patches: patch is 3, but the stem shrinks pictures by 2 (stemShrink)", error.Message);
    }

    [Fact]
    public void Patches_PixelChanged_ChangesItsOwnTokenAlone()
    {
        using var scope = NewDisposeScope();
        var encoder = Build.Node<IEncoder>(new PatchesEncoder(new PatchesOptions(Width: 16)), new() { ["C"] = 3, ["H"] = 8, ["W"] = 12 });
        var pictures = rand(1, 3, 8, 12);
        var present = ones(1, dtype: ScalarType.Bool);

        var before = encoder.Encode(new Masked(pictures.clone(), present)).Tokens.Data;
        pictures[0, 0, 1, 5] += 1;  // row 0, column 1 of 2 × 3 patches
        var after = encoder.Encode(new Masked(pictures, present)).Tokens.Data;

        Assert.Equal([false, true, false, false, false, false], (before - after).abs().sum(2)[0].gt(1e-4).data<bool>().ToArray());
    }

    [Fact]
    public void Text_PackedSegments_EqualEachAlone()
    {
        using var scope = NewDisposeScope();
        var encoder = Text();

        var packed = encoder.Encode(Build.Text(new long[,] { { 3, 7, 1, 9, 4 } }, new long[,] { { 1, 1, 1, 2, 2 } })).Tokens.Data;
        var (first, second) = (encoder.Encode(Build.Text(new long[,] { { 3, 7, 1 } })).Tokens.Data, encoder.Encode(Build.Text(new long[,] { { 9, 4 } })).Tokens.Data);

        Assert.InRange(Build.Distance(packed.narrow(1, 0, 3), first), 0, 1e-5f);
        Assert.InRange(Build.Distance(packed.narrow(1, 3, 2), second), 0, 1e-5f);
    }

    [Fact]
    public void Text_AbsentPicture_EqualsNoContext()
    {
        using var scope = NewDisposeScope();
        var encoder = Text();
        var fusion = Build.Node<IFusion>(new MidFusion(new MidOptions()), new() { ["D"] = 16, ["L"] = 2, ["V"] = 16 }, Build.Port("image", 12));
        var text = Build.Text(new long[,] { { 3, 7, 1 } });

        var without = encoder.Encode(text, null).Pooled;
        var absent = encoder.Encode(text, fusion.Fuse([Build.Tokens(1, 1, 5, 12, zeros(1, 5, dtype: ScalarType.Bool))])).Pooled;
        var present = encoder.Encode(text, fusion.Fuse([Build.Tokens(1, 1, 5, 12)])).Pooled;

        Assert.Equal(0, Build.Distance(without, absent));
        Assert.True(Build.Distance(without, present) > 1e-4);
    }

    [Fact]
    public void Audio_PaddingAndAbsence_DoNotLeak()
    {
        using var scope = NewDisposeScope();
        var encoder = Audio();
        manual_seed(1);
        var samples = randn(2, 4000) * 0.1;
        var mask = zeros(2, 4000, dtype: ScalarType.Bool);
        mask[0, TensorIndex.Slice(0, 2000)] = true;
        var changed = samples.clone();
        changed[0, TensorIndex.Slice(2000)] = 1;

        var (one, two) = (encoder.Encode(new Masked(samples, mask)), encoder.Encode(new Masked(changed, mask)));
        var first = samples.narrow(0, 0, 1).narrow(1, 0, 2000);
        var alone = encoder.Encode(new Masked(first, ones(1, 2000, dtype: ScalarType.Bool)));

        Assert.Equal([2L, 32L, 16L], one.Tokens.Data.shape);
        Assert.Equal(16, one.Tokens.Mask[0].sum().item<long>());
        Assert.Equal(0, Build.Distance(one.Pooled, two.Pooled));
        Assert.InRange(Build.Distance(one.Pooled[0], alone.Pooled[0]), 0, 1e-4f);
        Assert.Equal(0, one.Pooled[1].abs().sum().item<float>());
        Assert.True(Build.Finite(one.Tokens.Data));
    }

    [Theory]
    [InlineData(4000, 100, 40)]
    [InlineData(16000, 400, 80)]
    public void MelSpectrogram_Tone_IsLoudestInItsBand(long rate, double hertz, int bands)
    {
        using var scope = NewDisposeScope();
        using var spectrogram = new MelSpectrogram(rate, 0.032, 0.016, bands, Build.Context());
        var time = arange(rate, dtype: ScalarType.Float32) / rate;

        var frames = spectrogram.Forward((time * (2 * Math.PI * hertz)).sin().unsqueeze(0));

        var step = 2595 * Math.Log10(1 + rate / 2.0 / 700) / (bands + 1);
        var expected = 2595 * Math.Log10(1 + hertz / 700) / step - 1;
        Assert.InRange(frames[0, TensorIndex.Ellipsis, 30].argmax().item<long>() - expected, -1, 1);
        Assert.Equal(Math.Ceiling(1 / 0.016), frames.size(2));
    }

}
