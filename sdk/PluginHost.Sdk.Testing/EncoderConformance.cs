using TorchSharp;
using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>encoder</c>.</summary>
public abstract class EncoderConformance : NodeConformance
{
    /// <inheritdoc/>
    public override string Kind => "encoder";

    /// <summary>The ports are those that the kind promises.</summary>
    [Fact]
    public void Ports_AreOneInputTokensAndPooled()
    {
        Assert.Single(Plugin.Description.Inputs);
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
        Same(together, node.Run([Row((Masked)inputs[0]!)]), Rounding, "a row alone and beside others");
    });

    private static Masked Row(Masked batch) => batch is TextBatch text ? Values.Text(text.Ids.narrow(0, 0, 1))
        : new Masked(batch.Data.narrow(0, 0, 1), batch.Mask.narrow(0, 0, 1));
}
