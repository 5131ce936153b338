using PluginHost.Catalog;
using PluginHost.Catalog.Ports;
using PluginHost.Config;

namespace PluginHost.Graph.Tests;

public class GraphPlannerTests
{
    internal static string Valid => Path.Combine(AppContext.BaseDirectory, "valid.json");

    private static GraphPlan Plan(params string[] overrides)
    {
        using var catalog = FixturePlugins.Discover("planning");
        return GraphPlanner.Plan(ProjectFile.Read(Valid, overrides), catalog.Installed);
    }

    private static string ErrorOf(params string[] overrides) => Assert.Throws<ConfigException>(() => Plan(overrides)).Message;

    private static PlannedNode Node(GraphPlan plan, string name) => plan.Nodes.Single(node => node.Name == name);

    [Fact]
    public void Plan_ValidProject_SolvesShapesInBothDirections()
    {
        var plan = Plan("graph.decoder.settings.width=24", "graph.decoder.settings.heads=3");

        Assert.Equal("seq[B,64,16]", Node(plan, "image").Outputs[0].Shape.ToString());
        Assert.Equal("seq[B,N,16]", Node(plan, "audio").Outputs[0].Shape.ToString());
        Assert.Equal("f[B,T,640]", Node(plan, "decoder").Outputs[0].Shape.ToString());
        // The fusion learns its widths from the tower that takes its context.
        Assert.Equal("fusion[24,2,640]", Node(plan, "fusion").Outputs[0].Shape.ToString());
        Assert.Equal(24, Node(plan, "fusion").Dimensions["D"]);
        Assert.Equal([null, 64, 16], Node(plan, "fusion").Inputs[0].Shape.Values);
    }

    [Fact]
    public void Plan_Costs_FollowTheFormulas()
    {
        var plan = Plan();

        Assert.Equal((3 + 1) * 16, Node(plan, "image").Parameters);
        Assert.Equal(4L * 64 * 16, Node(plan, "image").ActivationFloats);
        Assert.Equal(640 * 16, Node(plan, "text").Parameters);
        Assert.Equal(2 * 16 * 16, Node(plan, "fusion").Parameters);
        // The number of audio tokens is known to the encoder alone.
        Assert.Null(Node(plan, "fusion").ActivationFloats);
        Assert.Equal(640 * 16, Node(plan, "decoder").Parameters);
        Assert.Equal(4L * 20 * 640, Node(plan, "decoder").ActivationFloats);
        Assert.Null(Node(plan, "audio").Parameters);
        Assert.Equal(2 * 640 * 16, Node(Plan("graph.decoder.settings.tied=false"), "decoder").Parameters);
    }

    [Fact]
    public void Plan_UnwiredInputs_TakeTheOnlyOutputOfTheirName()
    {
        var objective = Plan().Stages[0].Objectives.Single(item => item.Name == "caption").Node;

        Assert.Equal(["decoder.logits", "sample.text"], objective.Inputs.Select(input => input.Source));
    }

    [Fact]
    public void Plan_NodesInAnyOrder_ComeOutSortedWithSlots()
    {
        var plan = Plan();

        Assert.Equal(["image", "audio", "text", "fusion", "decoder"], plan.Nodes.Select(node => node.Name));
        var produced = plan.SampleSlots.Where(slot => slot >= 0).ToHashSet();
        foreach (var node in plan.Nodes)
        {
            Assert.All(node.Inputs, input => Assert.Contains(input.Slot, produced));
            foreach (var output in node.Outputs) Assert.True(produced.Add(output.Slot));
        }
        Assert.Equal(plan.SlotCount, produced.Count);
        Assert.Same(Node(plan, "decoder"), plan.DecoderNode);
    }

    [Fact]
    public void Plan_SamplePortThatNobodyReads_HasNoSlot()
    {
        var plan = Plan("graph.fusion.in={\"image\": \"image.tokens\"}", "graph.audio.use=encoder.vit", "graph.audio.in={\"pixels\": \"sample.image\"}");

        Assert.Equal(-1, plan.SampleSlots[(int)SamplePort.Audio]);
    }

    [Fact]
    public void Plan_OptionalInputUnwired_HasSlotMinusOne()
    {
        var plan = Plan("graph={\"decoder\": {\"use\": \"decoder.causal\", \"in\": {\"ids\": \"sample.text\"}}}",
            "stages=[{\"name\": \"only\", \"objectives\": {\"next\": \"objective.next-token\"}}]", "evaluate=[]");

        Assert.Equal(-1, plan.DecoderNode!.Inputs[1].Slot);
        Assert.Null(plan.DecoderNode.Inputs[1].Source);
    }

    [Fact]
    public void Plan_MediaLeftOut_IsEveryDecoderWithThoseOfAnyFileLast() =>
        Assert.Equal(["media.image", "media.any"], Plan().Media.Select(media => media.Description.Id));

    [Theory]
    [InlineData("fusion.mid")]
    [InlineData("fusion.late")]
    public void Plan_FusionSwappedByOneWord_FitsWithoutSettings(string id) =>
        Assert.Equal(id, Node(Plan($"graph.fusion.use={id}"), "fusion").Description.Id);

    [Fact]
    public void Plan_OverrideThatBreaksAWire_NamesTheOverrideAndBothEnds() => Assert.Equal(
        "--set graph.fusion.in.image=image.pooled: 'image.pooled' is f[B,16], but input 'image' of fusion (fusion.mid) takes seq[B,N_i,D_i]; did you mean 'image.tokens'?",
        ErrorOf("graph.fusion.in.image=image.pooled"));

    [Fact]
    public void Plan_OverrideThatHeadsDoNotDivide_NamesTheRule() => Assert.Equal(
        "--set graph.image.settings.width=17: width 17 is not a multiple of heads 2 (rule of encoder.vit: width is a multiple of heads)",
        ErrorOf("graph.image.settings.width=17"));

    [Fact]
    public void Plan_TwoProblems_ListsBoth() =>
        Assert.Equal(2, ErrorOf("graph.image.settings.width=17", "data.use=source.scene").Split('\n').Length);

    [Fact]
    public void Plan_Sample_HasTheShapesOfTheDataSettings()
    {
        var data = new DataConfig { Sources = [], AudioRate = 4000, AudioSeconds = 1.5, ImageSize = 48 };

        Assert.Equal("pixels[B,3,48,48]", SamplePorts.TypeOf(SamplePort.Image, data, 10).Text);
        Assert.Equal("wave[B,6000,4000]", SamplePorts.TypeOf(SamplePort.Audio, data, 10).Text);
        Assert.Equal("ids[B,T,10]", SamplePorts.TypeOf(SamplePort.Caption, data, 10).Text);
        Assert.Equal(PortStructure.Pixels, SamplePorts.TypeOf(SamplePort.Image, data, 10).Structure);
    }

    [Fact]
    public void Plan_IsolatedPluginWhoseDataCannotLeaveTheProcess_IsRefused()
    {
        using var catalog = PluginCatalog.Discover(
            [FixturePlugins.Folder("planning")], isolation: new Dictionary<string, IsolationLimits> { ["metric.bleu"] = new(), ["encoder.vit"] = new() });

        var error = Assert.Throws<ConfigException>(() => GraphPlanner.Plan(ProjectFile.Read(Valid, []), catalog.Installed));

        Assert.Equal(
            "valid.json(5,25): $.graph.image.use: encoder.vit cannot run in a process of its own: INodePlugin.Build speaks of BuildContext, which stays within one; kinds whose data is small (metrics of text, say) can; take it out of 'isolation' in the host file, or use another plugin",
            error.Message.Split('\n')[0]);
        Assert.DoesNotContain("metric.bleu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_RunsThatCannotSupply_AreRefusedAtTheirSettings()
    {
        var error = Assert.Throws<ConfigException>(() => Judged(new Refusing(), "missing", "mute")).Message;

        Assert.Equal(2, error.Split('\n').Length);
        Assert.Contains(": 'run' of filter.judged: no embedding-generator in missing", error, StringComparison.Ordinal);
        Assert.Contains(": 'scorer' of filter.judged: no text-scorer in mute", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_RequirementsOfRuns_AreTakenFromTheSettings()
    {
        // A training does not run its filters, and may make the run that they name: nothing is looked up.
        Assert.Equal([new PlannedRequirement("embedding-generator", "run", "a"), new PlannedRequirement("text-scorer", "scorer", "b")], Judged(null, "a", "b").Filters[0][0].Requirements);
        Assert.Equal([new PlannedRequirement("embedding-generator", "run", "a")], Judged(null, "a", null).Filters[0][0].Requirements);
    }

    [Fact]
    public void SharedSpace_OfAContrastiveObjective_HasItsTowers()
    {
        var plan = Plan();
        int Pooled(string node) => Node(plan, node).Outputs.Single(output => output.Name == "pooled").Slot;

        Assert.Equal([(SamplePort.Image, Pooled("image")), (SamplePort.Caption, Pooled("text"))], SharedSpace.Of(plan).OrderBy(tower => tower.Key).Select(tower => (tower.Key, tower.Value)));
        Assert.Empty(SharedSpace.Of(plan with { Stages = [] }));
    }

    private static GraphPlan Judged(ITrainedModels? models, string run, string? scorer)
    {
        using var catalog = FixturePlugins.Discover("planning");
        var settings = $$"""{ "run": "{{run}}"{{(scorer is null ? "" : $", \"scorer\": \"{scorer}\"")}} }""";
        return GraphPlanner.Plan(ProjectFile.Read(Valid, [$$"""data.filters=[{ "use": "filter.judged", "settings": {{settings}} }]"""]), catalog.Installed, models);
    }

    private sealed class Refusing : ITrainedModels
    {
        public string? Refusal(string capability, string run) => $"no {capability} in {run}";
    }
}
