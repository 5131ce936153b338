using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>fusion</c>. The three fusion points are called as a tower calls them.</summary>
public abstract class FusionConformance : NodeConformance
{
    /// <inheritdoc/>
    public override string Kind => "fusion";

    /// <summary>The ports are those that the kind promises.</summary>
    [Fact]
    public void Ports_AreAnyModalitiesAndAContext()
    {
        Assert.True(Plugin.Description.Variadic is not null || Plugin.Description.Inputs.Count > 0, $"{Id} takes no modality");
        Assert.Equal("context", Assert.Single(Plugin.Description.Outputs).Name);
    }

    /// <summary>Each modality reaches the tower, in its own row alone.</summary>
    [Fact]
    public void Fuse_ModalityChanged_ReachesItsRowAlone() => ForEachUse(node =>
    {
        node.Shake();
        var inputs = node.Inputs(new BatchCase());
        var before = node.Run(inputs);
        for (var i = 0; i < inputs.Length; i++)
        {
            var changed = (object?[])inputs.Clone();
            var modality = (Masked)inputs[i]!;
            var data = modality.Data.clone();
            // Not a shift: a normalisation would undo it.
            data[0].copy_(randn_like(data[0]));
            changed[i] = modality with { Data = data };
            var after = node.Run(changed);
            Assert.True(before.Zip(after).Any(pair => Row(pair.First, 0).DistanceTo(Row(pair.Second, 0)) > 1e-6), $"modality {i} reaches no fusion point");
            Same([.. before.Select(probe => Row(probe, 1))], [.. after.Select(probe => Row(probe, 1))], Rounding, "a row whose neighbour changed");
        }
    });

    private static Probe Row(Probe probe, long row) => new(probe.Name, probe.Value[row], probe.Mask?[row]);
}
