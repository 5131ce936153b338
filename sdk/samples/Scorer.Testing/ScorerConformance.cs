using PluginHost.Sdk.Testing;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Scorer.Testing;

/// <summary>The suite of kind <c>scorer</c>. It speaks to the node over its ports, as the host does, and needs no copy of the contract.</summary>
public abstract class ScorerConformance : NodeConformance
{
    /// <inheritdoc/>
    public override string Kind => "scorer";

    /// <summary>The ports are those that the kind promises, and the host sees that the built node is of the kind.</summary>
    [Fact]
    public void Ports_AreQueryKeyAndScore()
    {
        Assert.Equal(["query", "key"], Plugin.Description.Inputs.Select(port => port.Name));
        Assert.Equal(["score"], Plugin.Description.Outputs.Select(port => port.Name));
        ForEachUse(node => Assert.Contains(node.Node.GetType().GetInterfaces(), item => item.FullName == "Scorer.Kind.IScorer"));
    }

    /// <summary>A vector is more like itself than like its opposite.</summary>
    [Fact]
    public void Score_OfItself_IsAboveThatOfItsOpposite() => ForEachUse(node =>
    {
        var query = (Tensor)node.Inputs(new BatchCase())[0]!;
        var (same, opposite) = (node.Run([query, query])[0].Value, node.Run([query, -query])[0].Value);
        Assert.True(same.gt(opposite).all().item<bool>(), "some vector is less like itself than like its opposite");
    });
}
