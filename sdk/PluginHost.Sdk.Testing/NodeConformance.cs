using Xunit;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>
/// The suite of plugins that become nodes of the graph. The kinds' suites add to it; a kind of a plugin's own derives from it as it
/// is, and names the kind.
/// </summary>
public abstract class NodeConformance : PluginConformance
{
    /// <summary>Sums in another order differ by this much.</summary>
    protected const double Rounding = 1e-4;

    private static readonly BatchCase Ordinary = new();
    private static readonly BatchCase Holes = new(Presence: Presence.Holes);

    private IReadOnlyDictionary<string, object?> current = new Dictionary<string, object?>();

    /// <inheritdoc/>
    protected override void UseOnce() => ForEachUse(node =>
    {
        var inputs = node.Inputs(Ordinary);
        Loss(node.Run(inputs)).backward();
        using var optimizer = node.Parameters.Count == 0 ? null : optim.AdamW(node.Parameters.Select(item => item.Value).ToArray());
        optimizer?.step();
    });

    /// <summary>Outputs have the shapes that the port attributes declare.</summary>
    [Fact]
    public void Outputs_OfTheSample_HaveTheirDeclaredShapes() => ForEachUse(node =>
    {
        foreach (var batch in new[] { Ordinary, Holes, new BatchCase(Single: true) })
            node.CheckShapes(node.Run(node.Inputs(batch)), batch);
    });

    /// <summary>The cost formula counts the parameters exactly.</summary>
    [Fact]
    public void Cost_Parameters_AreThoseOfTheBuiltNode() => ForEachUse(node =>
    {
        var actual = node.Parameters.Sum(item => item.Value.numel());
        Assert.Equal(node.DeclaredParameters ?? actual, actual);
    });

    /// <summary>Every parameter gets a gradient.</summary>
    [Fact]
    public void Backward_ReachesEveryParameter() => ForEachUse(node =>
    {
        node.Shake();
        if (node.Parameters.Count == 0) return;
        Loss(node.Run(node.Inputs(Ordinary))).backward();
        foreach (var (name, parameter) in node.Parameters)
        {
            Assert.True(parameter.grad is not null && parameter.grad.abs().sum().item<float>() > 0, $"parameter '{name}' gets no gradient");
            Assert.True(parameter.grad!.isfinite().all().item<bool>(), $"the gradient of parameter '{name}' is not finite");
        }
    });

    /// <summary>The seed decides everything: weights, outputs, and dropout in training.</summary>
    [Fact]
    public void Build_SameSeed_GivesTheSameWeightsAndOutputs() => ForEachUse(node => WithAnother(node, Surroundings(), twin =>
    {
        foreach (var ((name, one), (_, two)) in node.Parameters.Zip(twin.Parameters)) Assert.True(one.equal(two).all().item<bool>(), $"parameter '{name}' differs");
        Same(node.Run(node.Inputs(Ordinary)), twin.Run(twin.Inputs(Ordinary)), 0, "two builds from one seed");
        node.Module?.train();
        twin.Module?.train();
        Same(node.Run(node.Inputs(Ordinary)), twin.Run(twin.Inputs(Ordinary)), 0, "two builds from one seed, in training");
    }));

    /// <summary>One row, one token, nothing real, zeros and extremes give numbers, and so do their gradients when nothing is real.</summary>
    [Fact]
    public void Outputs_OfOddInputs_AreFinite() => ForEachUse(node =>
    {
        foreach (var content in Enum.GetValues<Content>())
            foreach (var presence in Enum.GetValues<Presence>())
                foreach (var single in new[] { false, true })
                {
                    var batch = new BatchCase(content, presence, single);
                    var probes = node.Run(node.Inputs(batch));
                    foreach (var probe in probes) Assert.True(probe.Finite, $"'{probe.Name}' is not finite for {batch}");
                    if (content == Content.Extreme || node.Parameters.Count == 0) continue;
                    Loss(probes).backward();
                    foreach (var (name, parameter) in node.Parameters)
                        Assert.True(parameter.grad?.isfinite().all().item<bool>() ?? true, $"the gradient of parameter '{name}' is not finite for {batch}");
                }
    });

    /// <summary>What is masked changes nothing.</summary>
    [Fact]
    public void Outputs_MaskedPositionsChanged_StayTheSame() => ForEachUse(node =>
    {
        var inputs = node.Inputs(Holes);
        var changed = inputs.Select(input => input is ProbeFusion fusion ? fusion.ChangedWhereAbsent() : Values.ChangedWhereAbsent(input)).ToArray();
        Same(node.Run(inputs), node.Run(changed), 1e-6, "other values under the mask");
    });

    /// <summary>Saved and loaded into another build, the weights give the same outputs.</summary>
    [Fact]
    public void State_CopiedToAnotherBuild_GivesTheSameOutputs() => ForEachUse(node =>
    {
        var other = Surroundings();
        WithAnother(node, new BuildContext { Device = other.Device, Seed = other.Seed + 1, Logger = other.Logger, ContentFolder = other.ContentFolder }, twin =>
        {
            Assert.Equal(node.Parameters.Select(item => item.Name), twin.Parameters.Select(item => item.Name));
            using (no_grad())
            {
                foreach (var ((_, from), (_, to)) in node.Parameters.Zip(twin.Parameters)) to.copy_(from);
                foreach (var ((_, from), (_, to)) in node.Buffers.Zip(twin.Buffers)) to.copy_(from);
            }
            Same(node.Run(node.Inputs(Ordinary)), twin.Run(twin.Inputs(Ordinary)), 0, "a build with copied weights: something is kept outside parameters and buffers");
        });
    });

    /// <summary>Weights outlive the dispose scope that the node was built in.</summary>
    [Fact]
    public void Weights_AfterTheBuildsScope_AreAlive() => ForEachUse(node =>
        Assert.All(node.Parameters, item => Assert.False(item.Value.IsInvalid, item.Name)));

    /// <summary>A build that is cancelled stops as cancelled, or is done already.</summary>
    [Fact]
    public void Build_Cancelled_StopsOrIsDone()
    {
        try
        {
            new NodeUnderTest(Plugin, Plugin.Uses[0], Surroundings(new CancellationToken(canceled: true))).Dispose();
        }
        catch (OperationCanceledException)
        {
            return;
        }
    }

    /// <summary>Builds the node for each use of the sample, and runs a check in a dispose scope.</summary>
    protected void ForEachUse(Action<NodeUnderTest> check)
    {
        ArgumentNullException.ThrowIfNull(check);
        foreach (var settings in Plugin.Uses)
        {
            using var scope = NewDisposeScope();
            using var node = new NodeUnderTest(Plugin, settings, Surroundings());
            current = settings;
            check(node);
        }
    }

    /// <summary>Fails unless two runs gave the same.</summary>
    /// <param name="expected">What it should be.</param>
    /// <param name="actual">What it is.</param>
    /// <param name="tolerance">Largest absolute difference.</param>
    /// <param name="between">What was compared, for the message.</param>
    protected static void Same(IReadOnlyList<Probe> expected, IReadOnlyList<Probe> actual, double tolerance, string between)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        Assert.Equal(expected.Select(probe => probe.Name), actual.Select(probe => probe.Name));
        foreach (var (one, two) in expected.Zip(actual))
            Assert.True(one.DistanceTo(two) <= tolerance, $"'{one.Name}' differs by {one.DistanceTo(two)} between {between}");
    }

    private void WithAnother(NodeUnderTest node, BuildContext surroundings, Action<NodeUnderTest> check)
    {
        using var twin = new NodeUnderTest(Plugin, current, surroundings);
        Assert.Equal(node.Parameters.Count, twin.Parameters.Count);
        check(twin);
    }

    private static Tensor Loss(IReadOnlyList<Probe> probes) =>
        probes.Where(probe => probe.Value.requires_grad).Select(probe => probe.Real.square().sum()).Aggregate(zeros(1, requires_grad: true).sum(), (sum, next) => sum + next);
}
