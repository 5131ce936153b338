using Encoder.Video;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class VideoEncoderTests
{
    private static readonly BlockShape Shape = new(16, 2, 2, 2, 8);

    private static IEncoder Encoder(VideoOptions? options = null) => Build.Node<IEncoder>(
        new VideoEncoder(options ?? new VideoOptions(Width: 16, Layers: 2, Heads: 2, FeedForward: 8, Patch: 4, StemWidth: 4, Pooled: 6)),
        new() { ["F"] = 4, ["C"] = 3, ["H"] = 8, ["W"] = 8 });

    private static DividedBlock Block()
    {
        manual_seed(5);
        return new DividedBlock(0, Shape, Build.Context());
    }

    /// <summary>Which of the tokens [times, places] changed.</summary>
    private static bool[,] Changed(Tensor before, Tensor after)
    {
        var far = (before - after).abs().amax(3)[0].gt(1e-6);
        var changed = new bool[far.size(0), far.size(1)];
        for (var time = 0; time < far.size(0); time++)
            for (var place = 0; place < far.size(1); place++) changed[time, place] = far[time, place].item<bool>();
        return changed;
    }

    [Fact]
    public void AttentionOverTime_TokenChanged_ReachesItsPlaceAlone()
    {
        using var scope = NewDisposeScope();
        var (block, x) = (Block(), randn(1, 4, 3, 16));
        var other = x.clone();
        other[0, 2, 1] += 1;

        Assert.Equal(new[,] { { false, true, false }, { false, true, false }, { false, true, false }, { false, true, false } }, Changed(block.Time(x, null), block.Time(other, null)));
    }

    [Fact]
    public void AttentionOverSpace_TokenChanged_ReachesItsTimeAlone()
    {
        using var scope = NewDisposeScope();
        var (block, x) = (Block(), randn(1, 4, 3, 16));
        var other = x.clone();
        other[0, 2, 1] += 1;

        Assert.Equal(new[,] { { false, false, false }, { false, false, false }, { true, true, true }, { false, false, false } }, Changed(block.Space(x), block.Space(other)));
    }

    [Fact]
    public void AttentionOverTime_EqualsItsFormula()
    {
        using var scope = NewDisposeScope();
        var (block, x) = (Block(), randn(2, 4, 3, 16));
        Tensor Weight(string name) => block.Projections.Single(projection => projection.Name == $"layers.0.time.{name}") is var found ? found.Weight.narrow(0, found.FirstRow, found.Rows) : null!;
        var hidden = zeros(6, 1, 1, 4);
        hidden[TensorIndex.Ellipsis, 3] = float.NegativeInfinity;

        var actual = block.Time(x, hidden);

        for (var place = 0; place < 3; place++)
        {
            var column = x[1, TensorIndex.Colon, place];                                                    // [4, 16]
            var normal = column / (column.square().mean([-1], keepdim: true) + 1e-6).sqrt();
            var heads = new List<Tensor>();
            for (var head = 0; head < 2; head++)
            {
                Tensor Of(string name) => normal.matmul(Weight(name).narrow(0, head * 8, 8).t());           // [4, 8]
                var scores = Of("q_proj").matmul(Of("k_proj").narrow(0, 0, 3).t()) / Math.Sqrt(8);          // the last time is hidden
                heads.Add(scores.softmax(-1).matmul(Of("v_proj").narrow(0, 0, 3)));
            }
            var expected = cat(heads, -1).matmul(Weight("o_proj").t());
            Assert.InRange(Build.Distance(expected, actual[1, TensorIndex.Colon, place]), 0, 1e-5f);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Convolution_ByProducts_IsTheThreeDimensionalOne(long stride)
    {
        using var scope = NewDisposeScope();
        var (x, kernel) = (randn([2, 5, 3, 8, 6]), randn([4, 3, 3, 3, 3]));

        var expected = nn.functional.conv3d(x.transpose(1, 2).to(ScalarType.Float64), kernel.to(ScalarType.Float64), strides: [1, stride, stride], padding: [1, 1, 1]).transpose(1, 2).to(ScalarType.Float32);

        Assert.InRange(Build.Distance(expected, Convolution3d.Forward(x, kernel, stride)), 0, 1e-4f);
    }

    [Fact]
    public void Frames_InAnotherOrder_AreAnotherVideo()
    {
        using var scope = NewDisposeScope();
        var (encoder, frames) = (Encoder(), rand([1, 4, 3, 8, 8]));
        var present = ones(1, 4, dtype: ScalarType.Bool);

        var there = encoder.Encode(new Masked(frames, present)).Pooled;
        var back = encoder.Encode(new Masked(frames.flip(1), present)).Pooled;

        Assert.True(Build.Distance(there, back) > 1e-4);
    }

    [Fact]
    public void Encode_SomeFramesAbsent_HidesTheirTokens()
    {
        using var scope = NewDisposeScope();
        var encoder = Encoder(new VideoOptions(Width: 16, Layers: 1, Heads: 2, FeedForward: 8, Patch: 4, Tube: 2, StemWidth: 4));
        var present = tensor(new[] { true, false, false, false }).unsqueeze(0);

        var tokens = encoder.Encode(new Masked(rand([1, 4, 3, 8, 8]), present)).Tokens;

        // A tube of two frames is there when one of them is.
        Assert.Equal([true, true, true, true, false, false, false, false], tokens.Mask[0].data<bool>().ToArray());
    }

    [Fact]
    public void Encode_ManyTimes_GivesTheSameFiniteGradients()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var encoder = Build.Node<IEncoder>(new VideoEncoder(new VideoOptions()), new() { ["F"] = 8, ["C"] = 3, ["H"] = 32, ["W"] = 32 });
        var input = new Masked(rand([4, 8, 3, 32, 32]), ones(4, 8, dtype: ScalarType.Bool));
        float[]? first = null;
        for (var pass = 0; pass < 6; pass++)
        {
            using var inner = NewDisposeScope();
            var module = (nn.Module)encoder;
            module.zero_grad();
            // Freed memory full of NaN: whatever reads what nothing has written finds it.
            foreach (var size in new[] { 1L << 8, 1L << 12, 1L << 16, 1L << 19 }) full(size, float.NaN).Dispose();
            encoder.Encode(input).Tokens.Data.square().sum().backward();
            var gradients = module.parameters().Select(parameter => parameter.grad is { } gradient ? gradient.abs().sum().item<float>() : 0).ToArray();
            first ??= gradients;
            Assert.All(gradients, gradient => Assert.True(float.IsFinite(gradient)));
            Assert.All(first.Zip(gradients), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-3 * Math.Abs(pair.First) + 1e-6));
        }
    }

    [Fact]
    public void OddPatch_SaysWhatToDo()
    {
        var error = Assert.Throws<UserErrorException>(() => Encoder(new VideoOptions(Patch: 5)));

        Assert.Equal("encoder.video: patch is 5, but the first convolution halves the frames, so patch must be even; use 6.", error.Message);
    }
}
