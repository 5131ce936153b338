using CsCheck;
using Decoder.Causal;
using Fusion.Early;
using Fusion.Late;
using Fusion.Mid;
using Fusion.SingleStream;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class PackedDecodeTests
{
    private const float Allowed = 1e-4f;
    private const int Vocabulary = 37;
    private static readonly CausalOptions Usual = new(Width: 32, Layers: 2, Heads: 4, KeyValueHeads: 2, FeedForward: 40);

    private static IDecoder Decoder(CausalOptions options)
    {
        var decoder = Build.Node<IDecoder>(new CausalDecoder(options), new() { ["V"] = Vocabulary });
        // Norms and biases start as ones and zeros, which would hide that they are forgotten.
        using var _ = no_grad();
        foreach (var parameter in ((nn.Module)(object)decoder).parameters().Where(parameter => parameter.dim() == 1)) parameter.add_(randn_like(parameter), alpha: 0.2);
        return decoder;
    }

    private static IFusionContext Fuse(string strategy, int seed)
    {
        INodePlugin plugin = strategy switch { "early" => new EarlyFusion(), "mid" => new MidFusion(new MidOptions()), "late" => new LateFusion(), _ => new SingleStreamFusion() };
        var width = strategy == "single-stream" ? 32 : 12;
        var fusion = Build.Node<IFusion>(plugin, new() { ["D"] = 32, ["L"] = 2, ["V"] = Vocabulary }, Build.Port("image", width));
        var mask = ones(1, 5, dtype: ScalarType.Bool);
        mask[0, 3] = false;
        return fusion.Fuse([Build.Tokens(seed, 1, 5, width, mask)]);
    }

    private static PackedDecodeEngine Engine(int length)
    {
        var decoder = Decoder(Usual);
        return new PackedDecodeEngine(decoder, (IDescribedTower)decoder, slots: 1, length);
    }

    // What the decoder itself says of each token of a text, read at once: [tokens, vocabulary].
    private static Tensor Expected(IDecoder decoder, IFusionContext? context, int[] tokens)
    {
        var ids = new long[1, tokens.Length];
        for (var i = 0; i < tokens.Length; i++) ids[0, i] = tokens[i];
        return decoder.Forward(Build.Text(ids), context, null)[0];
    }

    private static float[] Prefill(IDecodeEngine engine, int slot, ReadOnlySpan<int> tokens)
    {
        var logits = new float[Vocabulary];
        engine.Prefill(slot, tokens, logits);
        return logits;
    }

    private static float[] Step(IDecodeEngine engine, int[] slots, int[] tokens)
    {
        var logits = new float[slots.Length * Vocabulary];
        engine.Step(slots, tokens, logits);
        return logits;
    }

    private static void Near(Tensor expected, ReadOnlySpan<float> logits) => Assert.InRange(Build.Distance(expected, tensor(logits.ToArray())), 0, Allowed);

    public static TheoryData<CausalOptions> Shapes =>
    [
        Usual,
        Usual with { KeyValueHeads = 4, TiedHead = false },
        Usual with { AttentionBias = true, QueryKeyNorm = true },
        Usual with { HeadWidth = 24, Heads = 3, KeyValueHeads = 1, RopeBase = 500, NormEpsilon = 1e-4 },
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Prefill_ThenSteps_GiveTheDecodersLogits(CausalOptions options)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = Decoder(options);
        int[] text = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4];
        var expected = Expected(decoder, null, text);
        using var engine = new PackedDecodeEngine(decoder, (IDescribedTower)decoder, slots: 2, length: 32);
        engine.Begin(1);

        Near(expected[16], Prefill(engine, 1, text.AsSpan(0, 17)));
        for (var i = 17; i < text.Length; i++) Near(expected[i], Step(engine, [1], [text[i]]));
        Assert.Equal(text.Length, engine.Used(1));
    }

    [Theory]
    [InlineData("early")]
    [InlineData("mid")]
    [InlineData("late")]
    [InlineData("single-stream")]
    public void Begin_WithAFusion_GivesTheDecodersLogits(string strategy)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = Decoder(Usual);
        var (first, second) = (Fuse(strategy, 1), Fuse(strategy, 2));
        int[] text = [7, 2, 11, 30, 4, 4, 19];
        using var engine = new PackedDecodeEngine(decoder, (IDescribedTower)decoder, slots: 3, length: 24);
        engine.Begin(0, first);
        engine.Begin(2, second);

        Near(Expected(decoder, first, text)[4], Prefill(engine, 0, text.AsSpan(0, 5)));
        Near(Expected(decoder, second, text)[4], Prefill(engine, 2, text.AsSpan(0, 5)));
        var both = Step(engine, [2, 0], [4, 4]);
        Near(Expected(decoder, second, text)[5], both.AsSpan(0, Vocabulary));
        Near(Expected(decoder, first, text)[5], both.AsSpan(Vocabulary));
        Assert.NotEqual(both[..Vocabulary], both[Vocabulary..]);
    }

    [Fact]
    public void Begin_WithLearntKeysAndValues_GivesTheDecodersLogits()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = Decoder(Usual);
        manual_seed(5);
        var seen = tensor(new[] { true, false, true }).unsqueeze(0);
        var set = new AdapterSet(new Dictionary<Projection, IProjectionAdapter>(), decoder.KeyValueSlots.ToDictionary(slot => slot, slot => new KeyValues(randn(2, 3, 8), randn(2, 3, 8), seen)));
        int[] text = [1, 2, 3, 4];
        using var chosen = AdapterSet.Use(set);
        var expected = Expected(decoder, null, text);
        using var engine = new PackedDecodeEngine(decoder, (IDescribedTower)decoder, slots: 1, length: 16);
        engine.Begin(0, adapters: set);

        Near(expected[3], Prefill(engine, 0, text));
    }

    [Fact]
    public void Begin_WithAnAdapterOfAProjection_IsRefused()
    {
        using var scope = NewDisposeScope();
        var decoder = Decoder(Usual);
        using var engine = new PackedDecodeEngine(decoder, (IDescribedTower)decoder, slots: 1, length: 16);
        var set = new AdapterSet(new Dictionary<Projection, IProjectionAdapter> { [decoder.Projections[0]] = new Nothing() }, new Dictionary<KeyValueSlot, KeyValues>());

        var error = Assert.Throws<NotSupportedException>(() => engine.Begin(0, adapters: set));
        Assert.Contains(decoder.Projections[0].Name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prefill_BeyondTheSlot_IsRefusedAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var engine = Engine(length: 4);
        Assert.Throws<InvalidOperationException>(() => engine.Prefill(0, [1], []));
        engine.Begin(0);
        engine.Prefill(0, [1, 2, 3], []);

        var error = Assert.Throws<InvalidOperationException>(() => engine.Prefill(0, [4, 5], []));
        Assert.Contains("4 positions; 3 are filled and 2 more", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, engine.Used(0));
    }

    [Fact]
    public void Truncate_ThenTheSameTokens_GiveTheSameLogits()
    {
        using var scope = NewDisposeScope();
        using var engine = Engine(length: 16);
        engine.Begin(0);
        var whole = Prefill(engine, 0, [1, 2, 3, 4, 5, 6]);
        engine.Truncate(0, 2);

        Assert.Equal(whole, Prefill(engine, 0, [3, 4, 5, 6]));
    }

    /// <summary>Sequences come, go and are cut into calls at random; each one's logits are, bit for bit, those it has alone.</summary>
    [Fact]
    public void Step_WhateverElseIsInTheBatch_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        var decoder = Decoder(Usual);
        using var packed = new PackedDecodeEngine(decoder, (IDescribedTower)decoder, slots: 1, length: 40);
        using var shared = new PackedDecodeEngine(decoder, (IDescribedTower)decoder, slots: 9, length: 40);
        var texts = Gen.Int[0, Vocabulary - 1].Array[2, 30].Array[1, 9];

        Gen.Select(texts, Gen.Int[1, 20]).Sample((sequences, head) =>
        {
            var alone = sequences.Select(text =>
            {
                packed.Begin(0);
                var logits = Prefill(packed, 0, text);
                packed.Truncate(0, 0);
                return logits;
            }).ToArray();
            var last = new float[sequences.Length][];
            for (var slot = 0; slot < sequences.Length; slot++)
            {
                shared.Begin(slot);
                last[slot] = Prefill(shared, slot, sequences[slot].AsSpan(0, Math.Min(head, sequences[slot].Length)));
            }
            while (Enumerable.Range(0, sequences.Length).Where(slot => shared.Used(slot) < sequences[slot].Length).ToArray() is { Length: > 0 } open)
            {
                var logits = Step(shared, open, [.. open.Select(slot => sequences[slot][shared.Used(slot)])]);
                for (var i = 0; i < open.Length; i++) last[open[i]] = logits[(i * Vocabulary)..((i + 1) * Vocabulary)];
            }
            for (var slot = 0; slot < sequences.Length; slot++)
            {
                Assert.Equal(alone[slot], last[slot]);
                shared.Truncate(slot, 0);
            }
        }, iter: 40, threads: 1);
    }

    [Fact]
    public void Refusal_HeadsThatAreNoVectors_SaysSo() =>
        Assert.Contains("12 wide", PackedDecodeEngine.Refusal((IDescribedTower)Decoder(Usual with { HeadWidth = 12 })), StringComparison.Ordinal);

    private sealed class Nothing : IProjectionAdapter
    {
        public Tensor Delta(Tensor input) => zeros(1);
    }
}
