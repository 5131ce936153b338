using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>objective</c>.</summary>
public abstract class ObjectiveConformance : NodeConformance
{
    /// <inheritdoc/>
    public override string Kind => "objective";

    /// <summary>The loss is one number that leads back to what the graph computed.</summary>
    [Fact]
    public void Sum_Sample_IsAScalarWithAGradient() => ForEachUse(node =>
    {
        foreach (var presence in new[] { Presence.Whole, Presence.Absent })
        {
            var inputs = node.Inputs(new BatchCase(Presence: presence));
            foreach (var input in inputs.OfType<Tensor>()) input.requires_grad_();
            // What a node computes for a sequence comes with its mask; ids are the sample's.
            foreach (var input in inputs.OfType<Masked>().Where(input => input is not TextBatch)) input.Data.requires_grad_();
            var loss = Assert.Single(node.Run(inputs)).Value;
            Assert.Equal(1, loss.numel());
            Assert.True(loss.requires_grad, $"the loss does not lead back to its inputs ({presence})");
            loss.sum().backward();
            foreach (var input in inputs.OfType<Tensor>())
                Assert.True(input.grad is { } gradient && gradient.isfinite().all().item<bool>(), $"an input has no finite gradient ({presence})");
        }
    });

    /// <summary>The denominator needs the sample's values alone, and is never negative.</summary>
    [Fact]
    public void Count_BeforeTheForwardPass_NeedsOnlyTheSample() => ForEachUse(node =>
    {
        foreach (var presence in Enum.GetValues<Presence>())
        {
            // What the sample gives has a structure of its own; plain tensors come from nodes, which have not run yet.
            object?[] inputs = [.. node.Inputs(new BatchCase(Presence: presence)).Select(input => input is Tensor ? null : input)];
            var count = ((IObjective)node.Node).Count(inputs);
            Assert.True(double.IsFinite(count) && count >= 0, $"the count is {count} ({presence})");
        }
    });

    /// <summary>An objective has no outputs.</summary>
    [Fact]
    public void Ports_HaveNoOutputs() => Assert.Empty(Plugin.Description.Outputs);
}
