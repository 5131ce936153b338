using PluginHost.Catalog;
using PluginHost.Graph.Execution;
using PluginHost.Sdk;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Graph;

/// <summary>A plan with its nodes built: a flat list of steps over slots. Used by one thread at a time; disposing it disposes the nodes and gives the plugins back.</summary>
public sealed class ExecutableGraph : IDisposable
{
    private readonly NodeBuilder builder;
    private readonly List<(PlannedNode Plan, IObjective Objective, string Name)> objectives = [];
    private readonly List<IReadOnlyList<BuiltObjective>> stages = [];
    private ExecutionStep[] steps = [];

    private ExecutableGraph(GraphPlan plan, NodeBuilder builder)
    {
        Plan = plan;
        this.builder = builder;
    }

    public GraphPlan Plan { get; }

    /// <summary>Graph nodes, each after those it reads from.</summary>
    public IReadOnlyList<BuiltNode> Nodes { get; private set; } = [];

    /// <summary>All trained parameters: <c>image.blocks.0.weight</c>, <c>objectives.align.scale</c>; a shared one once.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Parameters { get; private set; } = [];

    /// <summary>All buffers, named alike.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Buffers { get; private set; } = [];

    /// <summary>The decoder, or null.</summary>
    public IDecoder? Decoder { get; private set; }

    /// <summary>The slot of the decoder's text; -1 without a decoder.</summary>
    public int DecoderTextSlot { get; private set; } = -1;

    /// <summary>The slot of the decoder's fusion context; -1 when there is none.</summary>
    public int DecoderContextSlot { get; private set; } = -1;

    /// <summary>Leases the plugins and builds all nodes and objectives.</summary>
    /// <exception cref="PluginFailedException">A plugin threw.</exception>
    public static ExecutableGraph Build(GraphPlan plan, PluginCatalog catalog, GraphSettings settings)
    {
        var graph = new ExecutableGraph(plan, new NodeBuilder(catalog, settings));
        try
        {
            graph.BuildNodes();
            graph.BuildObjectives();
            graph.CollectWeights();
            return graph;
        }
        catch
        {
            graph.Dispose();
            throw;
        }
    }

    /// <summary>The objectives of a stage, in config order.</summary>
    public IReadOnlyList<BuiltObjective> Objectives(int stage) => stages[stage];

    /// <summary>The steps that are needed to fill some slots, in running order; nothing else runs.</summary>
    public ExecutionStep[] StepsFor(IEnumerable<int> slots)
    {
        var wanted = slots.Where(slot => slot >= 0).ToHashSet();
        var needed = new List<ExecutionStep>();
        foreach (var step in steps.Reverse().Where(step => step.OutputSlots.Any(wanted.Contains)))
        {
            needed.Add(step);
            wanted.UnionWith(step.InputSlots);
        }
        needed.Reverse();
        return [.. needed];
    }

    /// <summary>An array with a place for every value that travels; the sample's are at <see cref="GraphPlan.SampleSlots"/>.</summary>
    public object?[] CreateSlots() => new object?[Plan.SlotCount];

    /// <summary>Runs steps over slots. Call it in a dispose scope: the values end up there.</summary>
    /// <exception cref="GraphExecutionException">A node threw.</exception>
    public void Run(ExecutionStep[] steps, object?[] slots)
    {
        foreach (var step in steps) step.Run(slots);
    }

    /// <summary>To be called after each backward pass: throws what a custom function of a node threw in it.</summary>
    /// <exception cref="GraphExecutionException">One did; the gradients are of no use.</exception>
    public void CheckBackward()
    {
        try
        {
            BackwardFaults.ThrowIfAny();
        }
        catch (BackwardFailedException fault)
        {
            var owner = Plan.Nodes.Zip(Nodes, (plan, built) => (Plan: plan, built.Node)).Concat(objectives.Select(item => (item.Plan, Node: (IGraphNode)item.Objective)))
                .FirstOrDefault(item => Path.GetFileNameWithoutExtension(item.Plan.Description.AssemblyPath) == fault.Assembly);
            if (owner.Plan is not null) builder.HealthOf(owner.Node).Fail(fault.Message);
            throw new GraphExecutionException(owner.Plan is null ? fault.Message : $"{owner.Plan.Name} ({owner.Plan.Description.Id} {owner.Plan.Description.Version}): {fault.Message}", fault.PluginTrace);
        }
    }

    /// <summary>Switches dropout and the like on or off, in nodes and objectives.</summary>
    public void Train(bool on)
    {
        foreach (var node in Nodes) (node.Node as nn.Module)?.train(on);
        foreach (var (_, objective, _) in objectives) (objective as nn.Module)?.train(on);
    }

    public void Dispose()
    {
        Nodes = [];
        Parameters = [];
        Buffers = [];
        Decoder = null;
        steps = [];
        stages.Clear();
        objectives.Clear();
        builder.Dispose();
    }

    private void BuildNodes()
    {
        Nodes = [.. Plan.Nodes.Select(plan => new BuiltNode(plan.Name, builder.Build(plan, "node")))];
        steps = [.. Plan.Nodes.Zip(Nodes, (plan, built) => new ExecutionStep(plan, built.Node, builder.HealthOf(built.Node)))];
        if (Plan.DecoderNode is not { } decoder) return;
        Decoder = Nodes.First(node => node.Name == decoder.Name).Node as IDecoder
            ?? throw new UserErrorException($"'{decoder.Name}' ({decoder.Description.Id}) built a node that is no {nameof(IDecoder)}, which its kind 'decoder' promises");
        DecoderTextSlot = decoder.Inputs[0].Slot;
        DecoderContextSlot = decoder.Inputs.Count > 1 ? decoder.Inputs[1].Slot : -1;
    }

    private void BuildObjectives()
    {
        foreach (var stage in Plan.Stages)
            stages.Add([.. stage.Objectives.Select(objective => new BuiltObjective(
                objective.Name, objective.Weight, Objective(objective.Node), [.. objective.Node.Inputs.Select(input => input.Slot)],
                [.. objective.Node.Inputs.Select(input => Plan.SampleSlots.Contains(input.Slot) && input.Slot >= 0)]))]);
    }

    // An objective that several stages use in the same way is one object: what it has learnt carries over.
    private IObjective Objective(PlannedNode plan)
    {
        foreach (var (known, objective, _) in objectives)
            if (Alike(known, plan)) return objective;
        var node = builder.Build(plan, "objective");
        if (node is not IObjective built)
            throw new UserErrorException($"'{plan.Name}' ({plan.Description.Id}) built a node that is no {nameof(IObjective)}, which its kind 'objective' promises");
        var twins = objectives.Count(item => item.Plan.Name == plan.Name);
        objectives.Add((plan, built, twins == 0 ? plan.Name : $"{plan.Name}-{twins + 1}"));
        return built;
    }

    private static bool Alike(PlannedNode a, PlannedNode b) =>
        a.Name == b.Name && a.Description.Id == b.Description.Id && SameSettings(a.Settings, b.Settings) &&
        a.Dimensions.Count == b.Dimensions.Count && !a.Dimensions.Except(b.Dimensions).Any();

    private static bool SameSettings(IReadOnlyDictionary<string, object?> a, IReadOnlyDictionary<string, object?> b) =>
        a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out var other) && Same(pair.Value, other));

    private static bool Same(object? a, object? b) => a is Array left && b is Array right ? left.Cast<object?>().SequenceEqual(right.Cast<object?>()) : Equals(a, b);

    private void CollectWeights()
    {
        var owners = Nodes.Select(node => (node.Name, node.Node as nn.Module))
            .Concat(objectives.Select(item => ($"objectives.{item.Name}", item.Objective as nn.Module)))
            .Where(owner => owner.Item2 is not null).ToArray();
        var seen = new HashSet<Parameter>(ReferenceEqualityComparer.Instance);
        Parameters = [.. owners.SelectMany(owner => owner.Item2!.named_parameters().Select(item => ($"{owner.Item1}.{item.name}", item.parameter))).Where(item => seen.Add(item.parameter))];
        Buffers = [.. owners.SelectMany(owner => owner.Item2!.named_buffers().Select(item => ($"{owner.Item1}.{item.name}", item.buffer)))];
    }
}
