using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>decoder</c>. Every check runs without a fusion and with one that uses all three points.</summary>
public abstract class DecoderConformance : NodeConformance
{
    /// <inheritdoc/>
    public override string Kind => "decoder";

    /// <summary>The ports are those that the kind promises.</summary>
    [Fact]
    public void Ports_AreIdsContextAndLogits()
    {
        Assert.Equal(["ids", "context"], Plugin.Description.Inputs.Select(port => port.Name));
        Assert.True(Plugin.Description.Inputs[1].Optional, "'context' is optional");
        Assert.Equal(["logits"], Plugin.Description.Outputs.Select(port => port.Name));
    }

    /// <summary>Token by token and in pieces, with a cache, a text gives the logits that it gives at once.</summary>
    [Fact]
    public void Forward_WithCache_EqualsUncached() => ForEachTower((decoder, text, context) =>
    {
        using var noGradient = no_grad();
        var expected = decoder.Forward(text, context, null);
        var (rows, tokens) = (text.Ids.size(0), text.Ids.size(1));
        using var cache = decoder.CreateCache((int)rows, (int)tokens + ProbeFusion.PrefixLength);
        var parts = new List<Tensor>();
        for (long start = 0, count = 2; start < tokens; start += count, count = count == 2 ? 1 : 2)
            parts.Add(decoder.Forward(Values.Text(text.Ids.narrow(1, start, count = Math.Min(count, tokens - start))), context, cache));
        Assert.Equal(tokens + (context is null ? 0 : ProbeFusion.PrefixLength), cache.Length);
        Close(expected, cat(parts, 1), "cached and uncached");
    });

    /// <summary>Segments that share a row do not see each other.</summary>
    [Fact]
    public void Forward_PackedSegments_EqualEachAlone() => ForEachTower((decoder, text, context) =>
    {
        var ids = text.Ids.narrow(0, 0, 1);
        var (tokens, half) = (ids.size(1), ids.size(1) / 2);
        var owners = cat([full([1, half], 1L), full([1, tokens - half], 2L)], 1);
        var alone = context?.Row(0);
        var together = decoder.Forward(Values.Text(ids, owners), alone, null);
        Close(together.narrow(1, 0, half), decoder.Forward(Values.Text(ids.narrow(1, 0, half)), alone, null), "a first segment packed and alone");
        Close(together.narrow(1, half, tokens - half), decoder.Forward(Values.Text(ids.narrow(1, half, tokens - half)), alone, null), "a second segment packed and alone");
    });

    /// <summary>A token sees nothing that follows it, neither another token nor padding.</summary>
    [Fact]
    public void Forward_LaterTokens_DoNotReachEarlierOnes() => ForEachTower((decoder, text, context) =>
    {
        var (before, last) = (text.Ids.size(1) - 1, text.Ids.narrow(1, text.Ids.size(1) - 1, 1));
        Tensor Logits(Tensor end) => decoder.Forward(Values.Text(cat([text.Ids.narrow(1, 0, before), end], 1)), context, null).narrow(1, 0, before);
        var whole = Logits(last);
        Close(whole, Logits(last.eq(0).to(ScalarType.Int64)), "two texts that differ in the last token");
        Close(whole, Logits(full_like(last, -1)), "a text and the same one padded");
    });

    /// <summary>A row means the same alone and beside others.</summary>
    [Fact]
    public void Forward_RowAlone_IsWhatItIsBesideOthers() => ForEachTower((decoder, text, context) => Close(
        decoder.Forward(text, context, null).narrow(0, 0, 1), decoder.Forward(Values.Text(text.Ids.narrow(0, 0, 1)), context?.Row(0), null), "a row alone and beside others"));

    /// <summary>Every part of a fusion reaches the logits.</summary>
    [Fact]
    public void Forward_FusionChanged_ChangesLogits() => ForEachUse(node =>
    {
        var inputs = node.Inputs(new BatchCase());
        var (decoder, text, context) = ((IDecoder)node.Node, (TextBatch)inputs[0]!, (ProbeFusion)inputs[1]!);
        var logits = decoder.Forward(text, context, null);
        foreach (var part in FusionPart.Each(context))
            Assert.True((decoder.Forward(text, part, null) - decoder.Forward(text, null, null)).abs().max().item<float>() > 1e-6, $"the fusion point '{part.Name}' is not used");
        Assert.True((logits - decoder.Forward(text, null, null)).abs().max().item<float>() > 1e-6, "the context is not used");
    });

    /// <summary>Projections have names that differ and cover rows of their weights; a slot stands for each layer.</summary>
    [Fact]
    public void Tower_ProjectionsAndSlots_AreNamedAndWithinTheirWeights() => ForEachUse(node =>
    {
        var decoder = (IDecoder)node.Node;
        Assert.NotEmpty(decoder.Projections);
        Assert.Equal(decoder.Projections.Count, decoder.Projections.Select(item => item.Name).Distinct().Count());
        Assert.All(decoder.Projections, item => Assert.InRange(item.FirstRow + item.Rows, item.Rows, item.Weight.size(0)));
        Assert.Equal(decoder.KeyValueSlots.Count, decoder.KeyValueSlots.Select(slot => slot.Name).Distinct().Count());
    });

    /// <summary>What an adapter adds to a projection is what the same change of its weight gives.</summary>
    [Fact]
    public void Adapter_OnEachProjection_EqualsChangedWeight() => ForEachTower((decoder, text, context) =>
    {
        using var noGradient = no_grad();
        foreach (var projection in decoder.Projections)
        {
            random.manual_seed(5);
            var delta = randn(projection.Rows, projection.Weight.size(1)) * 0.1;
            projection.Adapter = new Addition(delta);
            var adapted = decoder.Forward(text, context, null);
            projection.Adapter = null;
            var rows = projection.Weight.narrow(0, projection.FirstRow, projection.Rows);
            var kept = rows.clone();
            rows.add_(delta);
            Close(adapted, decoder.Forward(text, context, null), $"an adapter on {projection.Name} and the changed weight");
            rows.copy_(kept);
        }
    });

    /// <summary>Keys and values in a slot are seen, with a cache and without.</summary>
    [Fact]
    public void KeyValueSlots_Filled_AreSeenWithAndWithoutCache() => ForEachTower((decoder, text, context) =>
    {
        using var noGradient = no_grad();
        var before = decoder.Forward(text, context, null);
        foreach (var slot in decoder.KeyValueSlots)
            (slot.Keys, slot.Values) = (randn(slot.Heads, 2, slot.HeadWidth), randn(slot.Heads, 2, slot.HeadWidth));
        var after = decoder.Forward(text, context, null);
        using var cache = decoder.CreateCache((int)text.Ids.size(0), (int)text.Ids.size(1) + ProbeFusion.PrefixLength);
        var first = decoder.Forward(Values.Text(text.Ids.narrow(1, 0, 2)), context, cache);
        var rest = decoder.Forward(Values.Text(text.Ids.narrow(1, 2, text.Ids.size(1) - 2)), context, cache);
        foreach (var slot in decoder.KeyValueSlots) (slot.Keys, slot.Values) = (null, null);
        if (decoder.KeyValueSlots.Count > 0) Assert.True((before - after).abs().amax([0, 2]).min().item<float>() > 1e-6, "some position does not see the slots");
        Close(after, cat([first, rest], 1), "filled slots with and without a cache");
    });

    private static void Close(Tensor expected, Tensor actual, string between) => Same([new Probe("logits", expected, null)], [new Probe("logits", actual, null)], Rounding, between);

    private void ForEachTower(Action<IDecoder, TextBatch, ProbeFusion?> check) => ForEachUse(node =>
    {
        var inputs = node.Inputs(new BatchCase());
        check((IDecoder)node.Node, (TextBatch)inputs[0]!, null);
        check((IDecoder)node.Node, (TextBatch)inputs[0]!, (ProbeFusion)inputs[1]!);
    });

    private sealed class Addition(Tensor weight) : IProjectionAdapter
    {
        public Tensor Delta(Tensor input) => nn.functional.linear(input, weight);
    }
}
