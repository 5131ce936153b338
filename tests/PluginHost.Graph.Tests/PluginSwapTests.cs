using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Graph.Tests;

[Collection("torch")]
public sealed class PluginSwapTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly string folder = Directory.CreateTempSubdirectory("swap").FullName;
    private readonly PluginCatalog catalog = PluginCatalog.Discover([FixturePlugins.Folder("graph"), FixturePlugins.Folder("swapping")]);
    private readonly LiveGraph live;
    private readonly PluginSwap swap;

    public PluginSwapTests()
    {
        var plan = GraphPlanner.Plan(ProjectFile.Read(GraphPlannerTests.Valid, ["graph.fusion.use=fusion.gain"]), catalog.Installed);
        live = new LiveGraph(ExecutableGraph.Build(plan, catalog, new GraphSettings(CPU, 1, NullLoggerFactory.Instance, default)));
        swap = new PluginSwap(catalog, live, graph => Assert.True(Logits(graph).All(float.IsFinite), "the logits are not finite"));
    }

    public void Dispose()
    {
        live.Dispose();
        catalog.Dispose();
        Directory.Delete(folder, true);
    }

    [Fact]
    public async Task SwapAsync_SameCode_CarriesTheWeightsAndTheOldVersionIsGone()
    {
        SetGain(3);
        var before = LogitsNow();

        var report = await swap.SwapAsync(Version("good"), Patience);

        Assert.Equal(["fusion.gain"], report.State!.Carried);
        Assert.Empty(report.State.Fresh);
        Assert.Equal(before, LogitsNow());
        Assert.Equal(UnloadOutcome.Unloaded, Assert.Single(report.Verdicts).Outcome);
    }

    [Fact]
    public async Task SwapAsync_OneNode_SharesTheOthers()
    {
        var before = NodesNow();
        await swap.SwapAsync(Version("good"), Patience);
        Assert.Equal(["fusion"], NodesNow().Where(node => !before.Contains(node)).Select(node => node.Name));
    }

    [Fact]
    public async Task SwapAsync_NewShape_IsReportedAndInitialised()
    {
        SetGain(3);
        var report = await swap.SwapAsync(Version("wide"), Patience);
        Assert.Equal(["fusion.gain"], report.State!.Fresh);
        Assert.Equal(1, GainNow("fusion.gain"));
    }

    [Fact]
    public async Task SwapAsync_RenamedWeightWithCarrier_IsCarried()
    {
        SetGain(3);
        var report = await swap.SwapAsync(Version("renamed"), Patience);
        Assert.Equal(["fusion.scale"], report.State!.Carried);
        Assert.Equal(3, GainNow("fusion.scale"));
    }

    [Theory]
    [InlineData("unbuildable", "cannot be built")]
    [InlineData("throwing", "cannot multiply")]
    [InlineData("infinite", "not finite")]
    public async Task SwapAsync_FaultyVersion_LeavesTheOldOneServingAndSaysWhy(string behaviour, string reason)
    {
        var before = LogitsNow();
        var serving = catalog.Find("fusion.gain");

        var refusal = await Assert.ThrowsAsync<SwapRefusedException>(() => swap.SwapAsync(Version(behaviour), Patience));

        Assert.Contains(reason, refusal.Message);
        Assert.Same(serving, catalog.Find("fusion.gain"));
        Assert.Equal(before, LogitsNow());
        Assert.Equal(UnloadOutcome.Unloaded, (await SwapAndUnload()).Outcome);

        async Task<UnloadVerdict> SwapAndUnload() => (await swap.SwapAsync(Version("good"), Patience)).Verdicts[0];
    }

    [Fact]
    public async Task SwapAsync_NoPlugin_NamesTheFault()
    {
        var refusal = await Assert.ThrowsAsync<SwapRefusedException>(() => swap.SwapAsync(folder, Patience));
        Assert.Contains("there is no", refusal.Message);
    }

    [Fact]
    public async Task SwapAsync_TheRunsSource_IsRefused()
    {
        var refusal = await Assert.ThrowsAsync<SwapRefusedException>(() => swap.SwapAsync(Path.Combine(FixturePlugins.Folder("graph"), "Fixture.Graph"), Patience));
        Assert.Contains("swap it between runs", refusal.Message);
    }

    [Fact]
    public async Task SwapAsync_InUse_FinishesOnTheVersionItBeganWith()
    {
        SetGain(2);
        var use = live.Acquire();
        var before = Logits(use.Graph);

        var swapping = swap.SwapAsync(Version("wide"), TimeSpan.FromSeconds(30));
        while (GainNow("fusion.gain") != 1) await Task.Delay(5);

        Assert.Equal(before, Logits(use.Graph));
        Assert.False(swapping.IsCompleted);
        use.Dispose();
        Assert.Equal(UnloadOutcome.Unloaded, (await swapping).Verdicts[0].Outcome);
    }

    [Fact]
    public async Task SwapAsync_WhileATrainerSteps_WaitsForTheBoundary()
    {
        Task<SwapReport> swapping;
        using (var boundaries = live.BeginSteps())
        {
            swapping = swap.SwapAsync(Version("wide"), Patience);
            await Task.Delay(100);
            Assert.False(swapping.IsCompleted);
            Assert.True(boundaries.Exchange(graph => Logits(graph)));
            Assert.False(boundaries.Exchange(graph => Logits(graph)));
        }
        Assert.NotNull((await swapping).State);
    }

    /// <summary>A folder with a version of the plugin.</summary>
    private string Version(string behaviour)
    {
        var version = Path.Combine(folder, Guid.NewGuid().ToString("N"), "Fixture.Gain");
        Directory.CreateDirectory(version);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(FixturePlugins.Folder("swapping"), "Fixture.Gain"))) File.Copy(file, Path.Combine(version, Path.GetFileName(file)));
        File.WriteAllText(Path.Combine(version, "behaviour.txt"), behaviour);
        return version;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void SetGain(float value)
    {
        using var _ = no_grad();
        using var use = live.Acquire();
        use.Graph.Parameters.Single(item => item.Name == "fusion.gain").Value.fill_(value);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private float GainNow(string name)
    {
        using var use = live.Acquire();
        return use.Graph.Parameters.Single(item => item.Name == name).Value.max().item<float>();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private List<BuiltNode> NodesNow()
    {
        using var use = live.Acquire();
        return [.. use.Graph.Nodes];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private float[] LogitsNow()
    {
        using var use = live.Acquire();
        return Logits(use.Graph);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float[] Logits(ExecutableGraph graph)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var slots = graph.CreateSlots();
        ExecutableGraphTests.Fill(graph, slots);
        var logits = graph.Plan.DecoderNode!.Outputs[0].Slot;
        ExecutableGraph.Run(graph.StepsFor([logits]), slots);
        return ((Tensor)slots[logits]!).data<float>().ToArray();
    }
}
