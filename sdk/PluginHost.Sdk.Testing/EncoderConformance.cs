using TorchSharp;
using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>encoder</c>.</summary>
public abstract class EncoderConformance : NodeConformance
{
    /// <inheritdoc/>
    public override string Kind => "encoder";

    /// <summary>The ports are those that the kind promises: one input, and for a tower a context that may be left out.</summary>
    [Fact]
    public void Ports_AreOneInputTokensAndPooled()
    {
        Assert.InRange(Plugin.Description.Inputs.Count, 1, 2);
        if (Plugin.Description.Inputs.Count == 2) Assert.True(Plugin.Description.Inputs[1] is { Name: "context", Optional: true }, "a second input is an optional 'context'");
        Assert.Equal(["tokens", "pooled"], Plugin.Description.Outputs.Select(port => port.Name));
    }

    /// <summary>A row without the modality has no tokens, and a pooled vector of zeros: that is how others know that it is absent.</summary>
    [Fact]
    public void Encode_AbsentRow_HasNoTokensAndZeros() => ForEachUse(node =>
    {
        var probes = node.Run(node.Inputs(new BatchCase(Presence: Presence.Holes))).ToDictionary(probe => probe.Name);
        var last = node.Dimension("B") - 1;
        Assert.Equal(0, probes["tokens mask"].Value[last].sum().item<float>());
        Assert.Equal(0, probes["pooled"].Value[last].abs().sum().item<float>());
        Assert.True(probes["pooled"].Value[0].abs().sum().item<float>() > 0, "a row with the modality has a pooled vector of zeros");
    });

    /// <summary>A row means the same alone and beside others.</summary>
    [Fact]
    public void Encode_RowAlone_IsWhatItIsBesideOthers() => ForEachUse(node =>
    {
        var inputs = node.Inputs(new BatchCase());
        var together = node.Run(inputs).Select(probe => new Probe(probe.Name, probe.Value.narrow(0, 0, 1), probe.Mask?.narrow(0, 0, 1))).ToArray();
        Same(together, node.Run([Row((Masked)inputs[0]!), .. inputs.Skip(1).Select(input => ((ProbeFusion?)input)?.Row(0))]), Rounding, "a row alone and beside others");
    });

    /// <summary>Without a context, an encoder gives the same whether it has that input or not; every part of a fusion reaches its tokens.</summary>
    [Fact]
    public void Encode_FusionChanged_ChangesTokens() => ForEachUse(node =>
    {
        var inputs = node.Inputs(new BatchCase());
        if (inputs is not [Masked input, ProbeFusion context]) return;
        var encoder = (IEncoder)node.Node;
        var alone = encoder.Encode(input).Tokens.Data;
        Assert.Equal(0, (alone - encoder.Encode(input, null).Tokens.Data).abs().max().item<float>());
        foreach (var part in FusionPart.Each(context))
        {
            var changed = (encoder.Encode(input, part).Tokens.Data - alone).abs().max().item<float>() > 1e-6;
            // A tower of no layers has nothing that could look at a prefix, and no place between layers.
            Assert.True(changed || (part.NeedsLayers && !part.HasLayers), $"the fusion point '{part.Name}' is not used");
        }
    });

    private static Masked Row(Masked batch) => batch is TextBatch text ? Values.Text(text.Ids.narrow(0, 0, 1))
        : new Masked(batch.Data.narrow(0, 0, 1), batch.Mask.narrow(0, 0, 1));
}
