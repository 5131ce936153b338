using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Graph.Tests;

/// <summary>Tests that draw from torch's global generator take turns.</summary>
[CollectionDefinition("torch", DisableParallelization = true)]
public class TorchCollection;

[Collection("torch")]
public sealed class ExecutableGraphTests : IDisposable
{
    private readonly PluginCatalog catalog = FixturePlugins.Discover("graph");

    public void Dispose() => catalog.Dispose();

    private ExecutableGraph Build(long seed = 1, params string[] overrides) => ExecutableGraph.Build(
        GraphPlanner.Plan(ProjectFile.Read(GraphPlannerTests.Valid, overrides), catalog.Installed), catalog, new GraphSettings(CPU, seed, NullLoggerFactory.Instance, default));

    internal static void Fill(ExecutableGraph graph, object?[] slots)
    {
        Put(SamplePort.Image, new Masked(ones(2, 3, 32, 32), ones(2, dtype: ScalarType.Bool)));
        Put(SamplePort.Audio, new Masked(ones(2, 8000), ones(2, 8000, dtype: ScalarType.Bool)));
        Put(SamplePort.Text, Text(5));
        Put(SamplePort.Caption, Text(3));

        void Put(SamplePort port, object value)
        {
            var slot = graph.Plan.SampleSlots[(int)port];
            if (slot >= 0) slots[slot] = value;
        }
    }

    private static TextBatch Text(long length)
    {
        var ids = arange(2 * length, dtype: ScalarType.Int64).reshape(2, length);
        return new TextBatch(ids, ones(2, length, dtype: ScalarType.Bool), ones_like(ids), zeros_like(ids), ids, ones(2, length));
    }

    [Fact]
    public void Run_WholeGraph_GivesLogitsOfThePlannedShape()
    {
        using var scope = NewDisposeScope();
        using var graph = Build();
        var slots = graph.CreateSlots();
        Fill(graph, slots);
        var logits = graph.Plan.DecoderNode!.Outputs[0].Slot;

        ExecutableGraph.Run(graph.StepsFor([logits]), slots);

        Assert.Equal([2L, 5L, 640L], ((Tensor)slots[logits]!).shape);
    }

    [Fact]
    public void Decoder_CallThatThrows_IsCountedAndNamesTheNode()
    {
        using var scope = NewDisposeScope();
        using var graph = Build();
        var calls = Calls().Calls;

        var error = Assert.Throws<GraphExecutionException>(() => graph.Decoder!.Forward(Text(5) with { Ids = full([2, 5], 100_000L) }, null, null));
        graph.Decoder!.Forward(Text(5), null, null);

        Assert.StartsWith("decoder (decoder.causal ", error.Message);
        Assert.Contains("ids: [2,5]", error.Message);
        Assert.Equal((calls + 2, 1), (Calls().Calls, (int)Calls().Failures));

        PluginTelemetry Calls() => catalog.Telemetry.Single(item => item.Id == "decoder.causal");
    }

    [Fact]
    public void Run_Objectives_GiveALossWithGradientInEveryNodeTheyReach()
    {
        using var scope = NewDisposeScope();
        using var graph = Build();
        var slots = graph.CreateSlots();
        Fill(graph, slots);
        var objectives = graph.Objectives(0);
        ExecutableGraph.Run(graph.StepsFor(objectives.SelectMany(item => item.InputSlots)), slots);

        var loss = objectives[0].Objective.Sum([.. objectives[0].InputSlots.Select(slot => slots[slot])]) + objectives[1].Objective.Sum([.. objectives[1].InputSlots.Select(slot => slots[slot])]);
        loss.backward();

        Assert.All(graph.Parameters, item => Assert.NotNull(item.Value.grad));
    }

    [Fact]
    public void StepsFor_PooledVectors_LeavesTheDecoderOut()
    {
        using var graph = Build();

        var steps = graph.StepsFor(graph.Objectives(0).Single(item => item.Name == "align").InputSlots);

        Assert.Equal(["image", "text"], steps.Select(step => step.Name));
    }

    [Fact]
    public void StepsFor_DecoderContext_RunsItsSourcesOnly()
    {
        using var graph = Build();

        Assert.Equal(["image", "audio", "fusion"], graph.StepsFor([graph.DecoderContextSlot]).Select(step => step.Name));
        Assert.Equal(graph.Plan.SampleSlots[(int)SamplePort.Text], graph.DecoderTextSlot);
        Assert.NotNull(graph.Decoder);
    }

    [Fact]
    public void Build_Parameters_HaveStableDottedNamesAndMatchTheEstimate()
    {
        using var graph = Build();

        Assert.Equal(
            ["image.project.weight", "image.project.bias", "text.embed.weight", "fusion.projections.0.weight", "fusion.projections.1.weight", "decoder.embed.weight", "objectives.align.scale"],
            graph.Parameters.Select(item => item.Name));
        var planned = graph.Plan.Nodes.Sum(node => node.Parameters ?? 0) + 1;
        Assert.Equal(planned, graph.Parameters.Sum(item => item.Value.numel()));
    }

    [Fact]
    public void Build_SameSeed_GivesSameWeightsWhateverElseIsInTheGraph()
    {
        using var scope = NewDisposeScope();
        using var one = Build();
        using var two = Build(1, "graph.fusion.use=fusion.late", "graph.image.settings.width=32", "graph.text.settings.width=32");
        using var other = Build(seed: 2);

        Tensor Weight(ExecutableGraph graph) => graph.Parameters.Single(item => item.Name == "decoder.embed.weight").Value;

        Assert.True(Weight(one).equal(Weight(two)).all().item<bool>());
        Assert.False(Weight(one).equal(Weight(other)).all().item<bool>());
    }

    [Fact]
    public void Objectives_SameUseInTwoStages_AreOneObject()
    {
        using var graph = Build();

        IObjective Align(int stage) => graph.Objectives(stage).Single(item => item.Name == "align").Objective;

        Assert.Same(Align(0), Align(1));
        Assert.Equal(0.5, graph.Objectives(1).Single(item => item.Name == "align").Weight);
    }

    [Fact]
    public void Objectives_OtherSettings_AreObjectsOfTheirOwn()
    {
        using var graph = Build(1, "stages.1.objectives.align.settings.temperature=0.1");

        Assert.NotSame(graph.Objectives(0)[1].Objective, graph.Objectives(1)[0].Objective);
        Assert.Contains(graph.Parameters, item => item.Name == "objectives.align-2.scale");
    }

    [Fact]
    public void Run_NodeThatThrows_NamesNodePluginAndShapes()
    {
        using var scope = NewDisposeScope();
        using var graph = Build(1, "graph.mixer={\"use\": \"mixer.failing\", \"in\": {\"pooled\": \"image.pooled\"}}");
        var slots = graph.CreateSlots();
        Fill(graph, slots);
        var mixed = graph.Plan.Nodes.Single(node => node.Name == "mixer").Outputs[0].Slot;

        var error = Assert.Throws<GraphExecutionException>(() => ExecutableGraph.Run(graph.StepsFor([mixed]), slots));

        Assert.Equal("mixer (mixer.failing 0.1.0) failed: ArithmeticException: cannot mix (inputs: pooled: [2,16])", error.Message);
        Assert.Null(error.InnerException);
    }

    [Fact]
    public void Train_Off_ReachesNodesAndObjectives()
    {
        using var graph = Build();

        graph.Train(false);

        var modules = graph.Owned.Select(node => node.Node).OfType<nn.Module>().ToArray();
        Assert.Equal(5, modules.Length);
        Assert.All(modules, module => Assert.False(module.training));
    }

    [Fact]
    public async Task Dispose_GivesThePluginsBack_SoThatTheyUnload()
    {
        RunAndDrop();

        var verdict = await catalog.UnloadAsync("decoder.causal", TimeSpan.FromSeconds(5));

        Assert.Equal(UnloadOutcome.Unloaded, verdict.Outcome);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private void RunAndDrop()
    {
        using var scope = NewDisposeScope();
        using var graph = Build();
        var slots = graph.CreateSlots();
        Fill(graph, slots);
        ExecutableGraph.Run(graph.StepsFor([graph.Plan.DecoderNode!.Outputs[0].Slot]), slots);
    }

    [Fact]
    public void Build_Cancelled_StopsAndGivesPluginsBack()
    {
        var plan = GraphPlanner.Plan(ProjectFile.Read(GraphPlannerTests.Valid, []), catalog.Installed);

        Assert.Throws<OperationCanceledException>(() => ExecutableGraph.Build(plan, catalog, new GraphSettings(CPU, 1, NullLoggerFactory.Instance, new CancellationToken(true))));
    }

    [Fact]
    public void Run_Steps_AreCountedWithTheNativeMemoryTheyHold()
    {
        using var scope = NewDisposeScope();
        using (var graph = Build())
        {
            var slots = graph.CreateSlots();
            Fill(graph, slots);
            ExecutableGraph.Run(graph.StepsFor([graph.DecoderContextSlot]), slots);

            var image = catalog.Telemetry.Single(item => item.Id == "encoder.vit");
            Assert.Equal((1, 0, (3 + 1) * 16 * sizeof(float)), (image.Calls, image.Failures, image.NativeBytes));
            Assert.Equal(0, catalog.Telemetry.Single(item => item.Id == "decoder.causal").Calls);
        }
        Assert.Equal(0, catalog.Telemetry.Single(item => item.Id == "encoder.vit").NativeBytes);
    }

    [Fact]
    public void Run_NodeThatKeepsFailing_AnswersWithItsQuarantine()
    {
        using var scope = NewDisposeScope();
        using var graph = Build(1, """graph.broken={ "use": "mixer.failing", "in": { "pooled": "image.pooled" } }""");
        var slots = graph.CreateSlots();
        Fill(graph, slots);
        var steps = graph.StepsFor([graph.Plan.Nodes.Single(node => node.Name == "broken").Outputs[0].Slot]);
        for (var i = 0; i < 3; i++) Assert.Throws<GraphExecutionException>(() => ExecutableGraph.Run(steps, slots));

        Assert.Contains("mixer.failing is in quarantine (3 failures within 60 s, the last: broken (mixer.failing 0.1.0) failed: ArithmeticException: cannot mix", Assert.Throws<PluginQuarantinedException>(() => ExecutableGraph.Run(steps, slots)).Message, StringComparison.Ordinal);
        ExecutableGraph.Run(graph.StepsFor([graph.DecoderContextSlot]), slots); // the others go on
    }
}
