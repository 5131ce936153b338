using System.Text.Json.Nodes;
using PluginHost.Catalog.Ports;
using PluginHost.Config;
using PluginHost.Config.Json;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>tuning</c>: what it is tried on is a <see cref="TunedGraph"/>.</summary>
public abstract class TuningConformance : PluginConformance
{
    private const double Rounding = 1e-5;

    /// <inheritdoc/>
    public override string Kind => "tuning";

    /// <inheritdoc/>
    protected override void UseOnce() => ForEachUse((graph, tuning, _) => graph.Run(tuning.Adapters(TunedGraph.Media)));

    /// <summary>Parameters have names of their own, want gradients, and each is there once.</summary>
    [Fact]
    public void Parameters_AreNamedAndTrainable() => ForEachUse((_, tuning, _) =>
    {
        Assert.NotEmpty(tuning.Parameters);
        Assert.Equal(tuning.Parameters.Count, tuning.Parameters.Select(item => item.Name).Distinct().Count());
        Assert.Equal(tuning.Parameters.Count, tuning.Parameters.Select(item => item.Value.Handle).Distinct().Count());
        Assert.All(tuning.Parameters, item => Assert.True(item.Value.requires_grad && item.RateFactor is >= 0 and < 1e6, item.Name));
        Assert.InRange(tuning.RateOfPretraining, 0, 1e6);
    });

    /// <summary>Begun with the same seed it is the same, and the weights of the graph stay as they are.</summary>
    [Fact]
    public void Begin_SameSeed_IsTheSameAndLeavesTheWeights() => ForEachUse((graph, tuning, plugin) =>
    {
        using var fresh = new TunedGraph();
        using var twin = Begin(plugin, graph);
        Assert.Equal(tuning.Parameters.Select(item => item.Name), twin.Parameters.Select(item => item.Name));
        Equal(tuning.Parameters.Select(item => (Tensor)item.Value), twin.Parameters.Select(item => (Tensor)item.Value), "two beginnings with one seed");
        Equal(fresh.Parameters.Select(item => (Tensor)item.Value), graph.Parameters.Select(item => (Tensor)item.Value), "the graph before and after");
    });

    /// <summary>Every parameter learns, and a step by their gradients changes what the graph gives and no other weight.</summary>
    [Fact]
    public void Adapters_Trained_ChangeOutputsAndNothingElse() => ForEachUse((graph, tuning, _) =>
    {
        using var before = graph.Run(AdapterSet.None).detach();
        var kept = graph.Parameters.Select(item => (item.Value, Copy: item.Value.detach().clone())).ToList();
        Shake(tuning);
        tuning.Train(true);
        graph.Run(tuning.Adapters(TunedGraph.Media)).square().sum().backward();
        using (no_grad())
            foreach (var item in tuning.Parameters.Where(item => item.Value.grad is not null)) item.Value.sub_(item.Value.grad! * 1e-3);
        tuning.Train(false);
        var learnt = tuning.Parameters.Where(item => item.Value.grad is { } gradient && gradient.abs().sum().item<float>() > 0).Select(item => item.Name).ToHashSet();
        Assert.All(tuning.Parameters.Where(item => !item.Name.Contains("objectives.", StringComparison.Ordinal)), item => Assert.Contains(item.Name, learnt));
        Assert.True((graph.Run(tuning.Adapters(TunedGraph.Media)) - before).abs().max().item<float>() > 1e-6, "nothing has changed");
        var own = tuning.Parameters.Select(item => item.Value.Handle).ToHashSet();
        Assert.All(kept.Where(item => !own.Contains(item.Value.Handle)), item => Assert.True(Alike(item.Value, item.Copy), "a weight has changed that the tuning does not name"));
    });

    /// <summary>Merged and attached give the same; a second merge is refused; unmerged the weights are what they were, bit for bit.</summary>
    [Fact]
    public void Merge_AndBack_GivesTheSameAndRestoresTheWeights() => ForEachUse((graph, tuning, _) =>
    {
        Shake(tuning);
        if (!tuning.CanMerge)
        {
            Assert.Throws<InvalidOperationException>(tuning.Merge);
            return;
        }
        var weights = graph.Parameters.Select(item => item.Value.detach().clone()).ToList();
        using var attached = graph.Run(tuning.Adapters(TunedGraph.Media)).detach();
        tuning.Merge();
        using var merged = graph.Run(tuning.Adapters(TunedGraph.Media)).detach();
        Assert.True((attached - merged).abs().max().item<float>() <= Rounding, "merged and attached differ");
        Assert.Throws<InvalidOperationException>(tuning.Merge);
        tuning.Unmerge();
        Equal(weights, graph.Parameters.Select(item => (Tensor)item.Value), "the weights before the merge and after the unmerge");
        Assert.Throws<InvalidOperationException>(tuning.Unmerge);
    });

    /// <summary>Its parameters, copied by name into another beginning on a graph of the same weights, give the same.</summary>
    [Fact]
    public void Parameters_CopiedToAnotherGraph_GiveTheSame() => ForEachUse((graph, tuning, plugin) =>
    {
        Shake(tuning);
        using var other = new TunedGraph();
        using var twin = Begin(plugin, other, seed: 99);
        using (no_grad())
            foreach (var (from, to) in tuning.Parameters.Zip(twin.Parameters)) to.Value.copy_(from.Value);
        Equal([graph.Run(tuning.Adapters(TunedGraph.Media))], [other.Run(twin.Adapters(TunedGraph.Media))], "the outputs of two graphs with the same parameters");
    });

    /// <summary>Calls with different adapters over one base do not disturb each other.</summary>
    [Fact]
    public void Adapters_TwoAtOnce_DoNotDisturbEachOther() => ForEachUse((graph, tuning, plugin) =>
    {
        if (tuning.Config is null) return; // what it trains are the weights themselves
        using var second = Begin(plugin, graph, seed: 99);
        Shake(tuning);
        Shake(second);
        var expected = new[] { tuning, second }.Select(item => graph.Run(item.Adapters(TunedGraph.Media)).detach()).ToArray();
        random.manual_seed(11); // outputs do not depend on it beyond the batch, which each call draws for itself
        Parallel.For(0, 8, i =>
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            using var __ = AdapterSet.Use((i % 2 == 0 ? tuning : second).Adapters(TunedGraph.Media));
            var text = Values.Text(tensor([1L, 5, 2, 7, 3, 4, 4, 0, 9, 1, 6, 2, 8, 5, 3], [3, 5]));
            for (var turn = 0; turn < 4; turn++)
                Assert.True((graph.Decoder.Forward(text, null, null) - expected[i % 2].narrow(2, 16, 20)).abs().max().item<float>() <= Rounding, "another call's adapter was at work");
        });
    });

    /// <summary>What a saved adapter says of itself gives settings under which another beginning has the same parameters.</summary>
    [Fact]
    public void Config_AsSettings_BeginsTheSame() => ForEachUse((graph, tuning, _) =>
    {
        if (tuning.Config is not { } config) return;
        Assert.NotNull((string?)config["peft_type"]);
        var known = Plugin.Description.Options.SelectMany(option => option.Aliases.Prepend(option.Name)).ToHashSet();
        var settings = new JsonObject(config.Where(item => known.Contains(item.Key)).Select(item => KeyValuePair.Create(item.Key, item.Value?.DeepClone())));
        var errors = new List<ConfigError>();
        var values = Plugin.Validate(JsonTreeReader.Read(System.Text.Encoding.UTF8.GetBytes(settings.ToJsonString()), "adapter_config.json"), errors);
        Assert.Empty(errors);
        using var lease = Plugin.Lease(values);
        using var twin = Begin(lease.As<ITuningPlugin>(), graph);
        Assert.Equal(tuning.Parameters.Select(item => (item.Name, string.Join(',', item.Value.shape))), twin.Parameters.Select(item => (item.Name, string.Join(',', item.Value.shape))));
    });

    /// <summary>The formula of its cost counts what it trains, without modules that it trains whole.</summary>
    [Fact]
    public void Cost_OfTheGraph_IsWhatIsTrained()
    {
        foreach (var settings in Plugin.Uses)
        {
            using var scope = NewDisposeScope();
            using var graph = new TunedGraph();
            using var lease = Plugin.Lease(settings);
            using var tuning = Begin(lease.As<ITuningPlugin>(), graph);
            var projections = graph.Nodes.Where(node => node.Tower is not null).SelectMany(node => node.Tower!.Projections.Select(item => new TunableProjection($"{node.Name}.{item.Name}", item.Rows, item.Weight.size(1)))).ToList();
            var bindings = new TuningBindings(
                graph.Parameters.Sum(item => item.Value.numel()), graph.Decoder.KeyValueSlots.Sum(slot => 2 * slot.Heads * slot.HeadWidth), projections, Plugin.Description, settings);
            if (bindings.Trained is { } trained) Assert.Equal(tuning.Parameters.Sum(item => item.Value.numel()), trained);
        }
    }

    private void ForEachUse(Action<TunedGraph, ITuning, ITuningPlugin> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var scope = NewDisposeScope();
            using var graph = new TunedGraph();
            using var lease = Plugin.Lease(settings);
            using var tuning = Begin(lease.As<ITuningPlugin>(), graph);
            tuning.Train(false);
            check(graph, tuning, lease.As<ITuningPlugin>());
        }
    }

    private ITuning Begin(ITuningPlugin plugin, TunedGraph graph, long seed = 7)
    {
        random.manual_seed(seed);
        return plugin.Begin(graph.Context(Surroundings()));
    }

    // As training would: what begins at zero hides what is behind it.
    private static void Shake(ITuning tuning)
    {
        random.manual_seed(5);
        using var _ = no_grad();
        foreach (var item in tuning.Parameters) item.Value.add_(randn_like(item.Value) * 0.1);
    }

    private static bool Alike(Tensor one, Tensor two) => one.eq(two).all().ToBoolean();

    private static void Equal(IEnumerable<Tensor> expected, IEnumerable<Tensor> actual, string between)
    {
        foreach (var (one, two) in expected.Zip(actual)) Assert.True(Alike(one, two), $"{between} differ");
    }
}
