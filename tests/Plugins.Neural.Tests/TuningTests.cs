using Decoder.Causal;
using PluginHost.Sdk;
using TorchSharp;
using Tuning.Full;
using Tuning.Lora;
using Tuning.Prefix;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class TuningTests
{
    private static readonly BatchMedia Nothing = new(2, new Dictionary<string, Tensor>());

    private static IDecoder Decoder(bool checkpoint = false)
    {
        manual_seed(7);
        var context = new BuildContext { Device = CPU, Logger = Build.Context().Logger, ContentFolder = "", Dimensions = new Dictionary<string, long> { ["V"] = 20 }, Checkpoint = checkpoint };
        var decoder = (IDecoder)new CausalDecoder(new CausalOptions(Width: 32, Layers: 2, Heads: 4, KeyValueHeads: 2, FeedForward: 24)).Build(context);
        ((nn.Module)decoder).eval();
        return decoder;
    }

    private static TuningContext Context(IDecoder decoder) => new(Build.Context(), [new TunedNode(
        "decoder", [.. ((nn.Module)decoder).named_parameters().Select(item => ($"decoder.{item.name}", item.parameter))], decoder)])
    { Modalities = ["image"] };

    private static ITuning Begin(ITuningPlugin plugin, IDecoder decoder)
    {
        manual_seed(3);
        var tuning = plugin.Begin(Context(decoder));
        tuning.Train(false);
        return tuning;
    }

    private static void Shake(ITuning tuning)
    {
        using var _ = no_grad();
        manual_seed(5);
        foreach (var item in tuning.Parameters) item.Value.add_(randn_like(item.Value) * 0.2);
    }

    private static Tensor Forward(IDecoder decoder, ITuning? tuning, TextBatch text, BatchMedia? media = null)
    {
        using var _ = AdapterSet.Use(tuning?.Adapters(media ?? Nothing));
        return decoder.Forward(text, null, null);
    }

    private static TextBatch Text() => Build.Text(new long[,] { { 1, 5, 9, 3, 2 }, { 4, 2, 8, 8, 7 } });

    private static bool Alike(Tensor left, Tensor right) => left.eq(right).all().ToBoolean();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Lora_AtStepZero_LeavesLogitsExactly(bool dora)
    {
        using var scope = NewDisposeScope();
        var decoder = Decoder();
        var plain = Forward(decoder, null, Text());
        using var tuning = Begin(new LoraTuning(new LoraOptions(Rank: 4, Dora: dora, Targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])), decoder);

        Assert.True(Alike(plain, Forward(decoder, tuning, Text())));
        tuning.Train(true);
        if (!dora) Assert.True(Alike(plain, Forward(decoder, tuning, Text())), "dropout reaches the frozen weights' input");
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 8)]
    public void Lora_Rank16Alpha32_ScalesBy(bool rslora, double scale)
    {
        using var scope = NewDisposeScope();
        var decoder = Decoder();
        using var tuning = Begin(new LoraTuning(new LoraOptions(Rslora: rslora)), decoder);
        Shake(tuning);
        var projection = decoder.Projections.Single(item => item.Name == "layers.0.attention.v_proj");
        Tensor Weight(string name) => tuning.Parameters.Single(item => item.Name == $"base_model.model.decoder.layers.0.attention.v_proj.{name}.weight").Value;
        var x = randn(3, 32);

        var delta = tuning.Adapters(Nothing).Projections[projection].Delta(x);

        Assert.True(Build.Distance(nn.functional.linear(nn.functional.linear(x, Weight("lora_A")), Weight("lora_B")) * scale, delta) < 1e-5);
        Assert.Equal([16L, 32], Weight("lora_A").shape); // v_proj has two key/value heads of eight
        Assert.Equal([16L, 16], Weight("lora_B").shape);
    }

    [Fact]
    public void Dora_ByHand_IsTheStretchedSum()
    {
        using var scope = NewDisposeScope();
        // W = [[3, 4], [0, 2]], B A = [[1, 0], [2, 0]], s = 1: V = [[4, 4], [2, 2]], ‖V‖ = (√32, √8); m = (10, 1); x = (1, 2).
        var weight = new TorchSharp.Modules.Parameter(tensor(new float[,] { { 3, 4 }, { 0, 2 } }));
        var tower = new OneProjection(new Projection("layers.0.attention.q_proj", weight, 0, 2));
        using var tuning = new LoraTuning(new LoraOptions(Rank: 1, Alpha: 1, Dropout: 0, Targets: ["q_proj"], Dora: true)).Begin(new TuningContext(Build.Context(), [new TunedNode("t", [("t.weight", weight)], tower)]));
        using (no_grad())
        {
            tuning.Parameters[0].Value.copy_(tensor(new float[,] { { 1, 0 } }));
            tuning.Parameters[1].Value.copy_(tensor(new float[,] { { 1 }, { 2 } }));
            Assert.Equal([5f, 2f], tuning.Parameters[2].Value.data<float>().ToArray()); // the lengths of W's rows
            tuning.Parameters[2].Value.copy_(tensor(new float[] { 10, 1 }));
        }
        var x = tensor(new float[] { 1, 2 });

        var output = nn.functional.linear(x, weight) + tuning.Adapters(Nothing).Projections[tower.Projections[0]].Delta(x);

        Assert.Equal(10 / Math.Sqrt(32) * 12, output[0].item<float>(), 4);
        Assert.Equal(1 / Math.Sqrt(8) * 6, output[1].item<float>(), 4);
        tuning.Merge();
        Assert.True(Build.Distance(output, nn.functional.linear(x, weight)) < 1e-5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Lora_Merged_GivesTheSameAndGoesBack(bool dora)
    {
        using var scope = NewDisposeScope();
        var decoder = Decoder();
        using var tuning = Begin(new LoraTuning(new LoraOptions(Rank: 4, Dora: dora, Targets: ["q_proj", "v_proj", "down_proj"])), decoder);
        Shake(tuning);
        var weights = decoder.Projections.Select(item => item.Weight.detach().clone()).ToList();
        var attached = Forward(decoder, tuning, Text());

        tuning.Merge();

        Assert.True(Build.Distance(attached, Forward(decoder, null, Text())) <= 1e-5);
        Assert.Contains("merged already", Assert.Throws<InvalidOperationException>(tuning.Merge).Message, StringComparison.Ordinal);
        tuning.Unmerge();
        Assert.All(decoder.Projections.Zip(weights), pair => Assert.True(Alike(pair.First.Weight, pair.Second)));
    }

    [Fact]
    public void Lora_SavedNames_ArePefts()
    {
        using var tuning = Begin(new LoraTuning(new LoraOptions(Rank: 2, Dora: true, Targets: ["decoder.layers.1.*.q_proj"], Modules: ["norm"])), Decoder());

        Assert.Equal(
            ["base_model.model.decoder.layers.1.attention.q_proj.lora_A.weight", "base_model.model.decoder.layers.1.attention.q_proj.lora_B.weight",
             "base_model.model.decoder.layers.1.attention.q_proj.lora_magnitude_vector", "base_model.model.decoder.stack.norm.weight"],
            tuning.Parameters.Select(item => item.Name));
        Assert.Equal("LORA", (string?)tuning.Config!["peft_type"]);
        Assert.Equal(2, (int?)tuning.Config!["r"]);
    }

    [Theory]
    [InlineData("q_prj", "'q_prj' names no projection of this graph; did you mean 'q_proj'?")]
    [InlineData("attention.qproj", "did you mean 'attention.q_proj'?")]
    [InlineData("classifier", "known: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj")]
    public void Lora_UnknownTarget_NamesTheNearest(string target, string message) => Assert.Contains(message, Assert.Throws<UserErrorException>(
        () => Begin(new LoraTuning(new LoraOptions(Targets: ["q_proj", target])), Decoder())).Message, StringComparison.Ordinal);

    [Fact]
    public void Lora_RankAboveAWidth_NamesTheTarget() => Assert.Contains(
        "'rank' is 20, above the width of 'decoder.layers.0.attention.v_proj', which is [16, 32]",
        Assert.Throws<UserErrorException>(() => Begin(new LoraTuning(new LoraOptions(Rank: 20)), Decoder())).Message, StringComparison.Ordinal);

    [Fact]
    public void Lora_NoTargets_IsSaid() => Assert.Contains("'targets' is empty", Assert.Throws<UserErrorException>(() => Begin(new LoraTuning(new LoraOptions(Targets: [])), Decoder())).Message, StringComparison.Ordinal);

    [Fact]
    public void Lora_UnknownModule_NamesTheNearest() => Assert.Contains("'embeding' names no module of this graph; did you mean 'embedding'?",
        Assert.Throws<UserErrorException>(() => Begin(new LoraTuning(new LoraOptions(Rank: 2, Modules: ["embeding"])), Decoder())).Message, StringComparison.Ordinal);

    // The prompt's own keys and values, as a cache holds them, stand in the slots; the text behind it is read without the prompt.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Prefix_OfAPromptsKeysAndValues_IsThatPrompt(bool cached)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = Decoder();
        using var tuning = Begin(new PrefixTuning(new PrefixOptions(Length: 3)), decoder);
        using var cache = decoder.CreateCache(1, 16);
        decoder.Forward(Build.Text(new long[,] { { 6, 1, 11 } }), null, cache);
        var layers = decoder.KeyValueSlots.Select((slot, layer) => cache.Append(layer, zeros(1, slot.Heads, 0, slot.HeadWidth), zeros(1, slot.Heads, 0, slot.HeadWidth)));
        tuning.Parameters[0].Value.copy_(cat([.. layers.SelectMany(layer => new[] { layer.Keys, layer.Values }).Select(part => part.squeeze(0).transpose(0, 1).reshape(3, -1))], 1));
        var expected = decoder.Forward(Build.Text(new long[,] { { 6, 1, 11, 5, 9, 3, 2 } }), null, null).narrow(1, 3, 4);

        using var __ = AdapterSet.Use(tuning.Adapters(Nothing));
        using var own = decoder.CreateCache(1, 8);
        var actual = !cached ? decoder.Forward(Build.Text(new long[,] { { 5, 9, 3, 2 } }), null, null)
            : cat([decoder.Forward(Build.Text(new long[,] { { 5, 9 } }), null, own), decoder.Forward(Build.Text(new long[,] { { 3 } }), null, own), decoder.Forward(Build.Text(new long[,] { { 2 } }), null, own)], 1);

        Assert.True(Build.Distance(expected, actual) <= 1e-5);
    }

    [Fact]
    public void Prefix_WithGradientCheckpointing_HasTheSameGradients()
    {
        using var scope = NewDisposeScope();
        var gradients = new[] { false, true }.Select(checkpoint =>
        {
            var decoder = Decoder(checkpoint);
            ((nn.Module)decoder).train();
            foreach (var parameter in ((nn.Module)decoder).parameters()) parameter.requires_grad = false;
            using var prefix = Begin(new PrefixTuning(new PrefixOptions(Length: 3, Modalities: ["text", "image"])), decoder);
            using var lora = Begin(new LoraTuning(new LoraOptions(Rank: 2, Dropout: 0.3)), decoder);
            Shake(lora);
            lora.Train(true);
            manual_seed(1);
            Tensor loss;
            using (AdapterSet.Use(AdapterSet.Union([prefix.Adapters(new BatchMedia(2, new Dictionary<string, Tensor> { ["image"] = tensor([true, false]) })), lora.Adapters(Nothing)])))
                loss = decoder.Forward(Text(), null, null).square().sum();
            // The set is no longer chosen when the layers are computed again.
            var wanted = prefix.Parameters.Concat(lora.Parameters).Select(item => (Tensor)item.Value).ToList();
            return autograd.grad([loss], wanted).Select(gradient => gradient.clone()).ToList();
        }).ToList();

        Assert.All(gradients[0], gradient => Assert.True(gradient.abs().max().item<float>() > 0));
        Assert.All(gradients[0].Zip(gradients[1]), pair => Assert.True(Build.Distance(pair.First, pair.Second) < 1e-5));
    }

    [Fact]
    public void Prefix_PerModality_IsSeenByRowsThatHoldIt()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = Decoder();
        using var tuning = Begin(new PrefixTuning(new PrefixOptions(Length: 3, Modalities: ["text", "image"])), decoder);
        var media = new BatchMedia(2, new Dictionary<string, Tensor> { ["image"] = tensor([true, false]) });
        var before = Forward(decoder, tuning, Text(), media);

        tuning.Parameters.Single(item => item.Name == "prompt_embeddings.image").Value.add_(1);
        var image = Forward(decoder, tuning, Text(), media);
        tuning.Parameters.Single(item => item.Name == "prompt_embeddings.text").Value.add_(1);
        var text = Forward(decoder, tuning, Text(), media);

        Assert.True(Build.Distance(before[0], image[0]) > 1e-4);
        Assert.True(Alike(before[1], image[1]), "a row without a picture sees the pictures' prefix");
        Assert.True(Build.Distance(image[0], text[0]) > 1e-4);
        Assert.True(Build.Distance(image[1], text[1]) > 1e-4);
    }

    [Fact]
    public void Prefix_PackedRow_IsItsSegmentsAlone()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = Decoder();
        using var tuning = Begin(new PrefixTuning(new PrefixOptions(Length: 4)), decoder);

        var packed = Forward(decoder, tuning, Build.Text(new long[,] { { 5, 9, 3, 7, 1 } }, new long[,] { { 1, 1, 1, 2, 2 } }));

        Assert.True(Build.Distance(Forward(decoder, tuning, Build.Text(new long[,] { { 5, 9, 3 } })), packed.narrow(1, 0, 3)) < 1e-5);
        Assert.True(Build.Distance(Forward(decoder, tuning, Build.Text(new long[,] { { 7, 1 } })), packed.narrow(1, 3, 2)) < 1e-5);
    }

    [Fact]
    public void Prefix_Saved_HasPeftsLayout()
    {
        using var tuning = Begin(new PrefixTuning(new PrefixOptions(Length: 5)), Decoder());

        var parameter = Assert.Single(tuning.Parameters);
        Assert.Equal("prompt_embeddings", parameter.Name);
        Assert.Equal([5L, 2 * 2 * 2 * 8], parameter.Value.shape); // layers, keys and values, key/value heads, head width
        Assert.Equal(
            ["\"PREFIX_TUNING\"", "5", "2", "2", "16"],
            new[] { "peft_type", "num_virtual_tokens", "num_layers", "num_attention_heads", "token_dim" }.Select(key => tuning.Config![key]!.ToJsonString()));
        Assert.False(tuning.CanMerge);
    }

    [Theory]
    [InlineData("picture", null, "'picture' in 'modalities' is none; ")]
    [InlineData("audio", null, "'modalities' names 'audio', which this graph does not read; it reads text, image")]
    [InlineData(null, "decodr", "'decodr' in 'towers' is no tower whose attention takes a prefix; did you mean 'decoder'?")]
    public void Prefix_WhatTheGraphDoesNotHave_IsNamed(string? modality, string? tower, string message) => Assert.Contains(message, Assert.Throws<UserErrorException>(() => Begin(
        new PrefixTuning(new PrefixOptions(Modalities: modality is null ? null : [modality], Towers: tower is null ? null : [tower])), Decoder())).Message, StringComparison.Ordinal);

    [Fact]
    public void Full_LayerDecay_SlowsWhatIsNearTheInput()
    {
        using var tuning = Begin(new FullTuning(new FullOptions(LayerDecay: 0.5)), Decoder());

        double Rate(string part) => tuning.Parameters.First(item => item.Name.Contains(part, StringComparison.Ordinal)).RateFactor;
        Assert.Equal((0.125, 0.25, 0.5, 1.0), (Rate("embedding"), Rate("layers.0."), Rate("layers.1."), Rate("stack.norm")));
        Assert.Equal(0.1, tuning.RateOfPretraining);
        Assert.Null(tuning.Config);
    }

    private sealed class OneProjection(Projection projection) : ITower
    {
        public IReadOnlyList<Projection> Projections => [projection];

        public IReadOnlyList<KeyValueSlot> KeyValueSlots => [];
    }
}
