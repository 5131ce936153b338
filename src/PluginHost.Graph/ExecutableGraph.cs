using PluginHost.Catalog;
using PluginHost.Graph.Execution;
using PluginHost.Sdk;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Graph;

/// <summary>
/// A plan with its nodes built: a flat list of steps over slots. Several threads may run it at once, each with its own steps and slots, as
/// long as nothing is trained. Disposing it disposes the nodes that no other graph shares and gives their plugins back.
/// </summary>
public sealed class ExecutableGraph : IDisposable
{
    private readonly List<BuiltNode> objectives = [];
    private readonly List<IReadOnlyList<BuiltObjective>> stages = [];
    private readonly PluginCatalog catalog;
    private readonly GraphSettings settings;
    private List<BuiltNode> nodes = [];
    private ExecutionStep[] steps = [];

    private ExecutableGraph(GraphPlan plan, PluginCatalog catalog, GraphSettings settings)
    {
        (Plan, this.catalog, this.settings) = (plan, catalog, settings);
        Tunings = new GraphTunings(this, settings);
    }

    public GraphPlan Plan { get; }

    /// <summary>Graph nodes, each after those it reads from.</summary>
    public IReadOnlyList<BuiltNode> Nodes => nodes;

    /// <summary>What tuning methods add to its towers.</summary>
    public GraphTunings Tunings { get; }

    /// <summary>All trained parameters: <c>image.blocks.0.weight</c>, <c>objectives.align.scale</c>; a shared one once.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Parameters { get; private set; } = [];

    /// <summary>All buffers, named alike.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Buffers { get; private set; } = [];

    /// <summary>Every parameter and buffer by name: what is saved and loaded.</summary>
    public IEnumerable<(string Name, Tensor Value)> Weights => Parameters.Select(parameter => (parameter.Name, (Tensor)parameter.Value)).Concat(Buffers);

    /// <summary>The decoder, or null.</summary>
    public IDecoder? Decoder { get; private set; }

    /// <summary>The same decoder as one that says what it is made of, if it does.</summary>
    public IDescribedTower? DecoderTower { get; private set; }

    /// <summary>The slot of the decoder's text; -1 without a decoder.</summary>
    public int DecoderTextSlot { get; private set; } = -1;

    /// <summary>The slot of the decoder's fusion context; -1 when there is none.</summary>
    public int DecoderContextSlot { get; private set; } = -1;

    /// <summary>What ranks answers in a graph without a decoder; null when there is none, or a decoder that writes them.</summary>
    public BuiltObjective? Ranking { get; private set; }

    internal IEnumerable<BuiltNode> Owned => nodes.Concat(objectives);

    /// <summary>Leases the plugins and builds all nodes and objectives.</summary>
    /// <exception cref="PluginFailedException">A plugin threw.</exception>
    public static ExecutableGraph Build(GraphPlan plan, PluginCatalog catalog, GraphSettings settings) => Build(plan, catalog, settings, null);

    /// <summary>
    /// A graph of another plan that shares every node which the change does not touch, and takes over the state of the others
    /// where name and shape agree (or through the new node's <see cref="IStateCarrier"/>). This graph stays as it is, and so does
    /// torch's random generator.
    /// </summary>
    /// <exception cref="PluginFailedException">A plugin threw.</exception>
    public (ExecutableGraph Graph, CarriedState State) Rebuild(GraphPlan plan)
    {
        using var generator = get_rng_state();
        ExecutableGraph? next = null;
        try
        {
            next = Build(plan, catalog, settings, this);
            var state = CarriedState.Carry(this, next);
            Tunings.CarryTo(next.Tunings);
            return (next, state);
        }
        catch
        {
            next?.Dispose();
            throw;
        }
        finally
        {
            set_rng_state(generator);
        }
    }

    /// <summary>The objectives of a stage, in config order.</summary>
    public IReadOnlyList<BuiltObjective> Objectives(int stage) => stages[stage];

    /// <summary>The steps that are needed to fill some slots, in running order; nothing else runs. They are the caller's own.</summary>
    public ExecutionStep[] StepsFor(IEnumerable<int> slots)
    {
        var wanted = slots.Where(slot => slot >= 0).ToHashSet();
        var needed = new List<ExecutionStep>();
        foreach (var step in steps.Reverse().Where(step => step.OutputSlots.Any(wanted.Contains)))
        {
            needed.Add(step.Copy());
            wanted.UnionWith(step.InputSlots);
        }
        needed.Reverse();
        return [.. needed];
    }

    /// <summary>An array with a place for every value that travels; the sample's are at <see cref="GraphPlan.SampleSlots"/>.</summary>
    public object?[] CreateSlots() => new object?[Plan.SlotCount];

    /// <summary>Runs steps over slots. Call it in a dispose scope: the values end up there.</summary>
    /// <exception cref="GraphExecutionException">A node threw.</exception>
    public static void Run(ExecutionStep[] steps, object?[] slots) => Run(steps, slots, null);

    /// <summary>Runs steps over slots, past a boundary at each node. What tuning methods add is what the thread has chosen, else what is attached to the graph.</summary>
    /// <exception cref="GraphExecutionException">A node threw.</exception>
    public static void Run(ExecutionStep[] steps, object?[] slots, INodeBoundary? boundary)
    {
        if (steps.Length == 0) return;
        using var _ = AdapterSet.Use(AdapterSet.Current ?? steps[0].Graph.Tunings.For(slots));
        foreach (var step in steps) step.Run(slots, boundary);
    }

    /// <summary>Keeps the decoder and its plugin, whatever becomes of the graph, until the result is disposed.</summary>
    /// <exception cref="InvalidOperationException">The graph has no decoder.</exception>
    public IDisposable HoldDecoder() => new Held(nodes.First(node => node.Decoder is not null && ReferenceEquals(node.Decoder, Decoder)).Share());

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
            var owner = Owned.FirstOrDefault(node => Path.GetFileNameWithoutExtension(node.Plan.Description.AssemblyPath) == fault.Assembly);
            owner?.Health.Fail(fault.Message);
            throw new GraphExecutionException(owner is null ? fault.Message : $"{owner.Plan.Name} ({owner.Plan.Description.Id} {owner.Plan.Description.Version}): {fault.Message}", fault.PluginTrace);
        }
    }

    /// <summary>Switches dropout and the like on or off, in nodes and objectives.</summary>
    public void Train(bool on)
    {
        Tunings.Train(on);
        foreach (var node in Owned)
            if (node.Node is nn.Module module && module.training != on) module.train(on);
    }

    public void Dispose()
    {
        Tunings.Dispose();
        BuiltNode[] owned = [.. Owned];
        nodes = [];
        Parameters = [];
        Buffers = [];
        (Decoder, DecoderTower) = (null, null);
        Ranking = null;
        steps = [];
        stages.Clear();
        objectives.Clear();
        foreach (var node in owned) node.Release();
    }

    private static ExecutableGraph Build(GraphPlan plan, PluginCatalog catalog, GraphSettings settings, ExecutableGraph? former)
    {
        var graph = new ExecutableGraph(plan, catalog, settings);
        try
        {
            graph.BuildNodes(former);
            graph.BuildObjectives(former);
            graph.CollectWeights();
            return graph;
        }
        catch
        {
            graph.Dispose();
            throw;
        }
    }

    private void BuildNodes(ExecutableGraph? former)
    {
        var builder = new NodeBuilder(catalog, settings);
        foreach (var plan in Plan.Nodes)
            nodes.Add(former?.nodes.Find(node => Same(node.Plan, plan))?.Share() ?? builder.Build(plan, plan.Name, "node"));
        steps = [.. Plan.Nodes.Zip(nodes, (plan, built) => new ExecutionStep(this, plan, built.Node, built.Health))];
        if (Plan.DecoderNode is not { } decoder) return;
        var built = nodes.First(node => node.Name == decoder.Name);
        DecoderTower = built.Node as IDescribedTower;
        Decoder = built.Decoder
            ?? throw new UserErrorException($"'{decoder.Name}' ({decoder.Description.Id}) built a node that is no {nameof(IDecoder)}, which its kind 'decoder' promises");
        DecoderTextSlot = decoder.Inputs[0].Slot;
        DecoderContextSlot = decoder.Inputs.Count > 1 ? decoder.Inputs[1].Slot : -1;
    }

    private void BuildObjectives(ExecutableGraph? former)
    {
        var builder = new NodeBuilder(catalog, settings);
        foreach (var stage in Plan.Stages)
            stages.Add([.. stage.Objectives.Select(objective => new BuiltObjective(
                objective.Name, objective.Weight, Objective(objective.Node, builder, former), [.. objective.Node.Inputs.Select(input => input.Slot)]))]);
        if (Plan.RankingObjective is not { } ranking) return;
        Ranking = Plan.Stages.Zip(stages).SelectMany(pair => pair.First.Objectives.Zip(pair.Second)).Last(pair => pair.First.Node == ranking).Second;
        if (Ranking.Objective is not IRankingObjective)
            throw new UserErrorException($"'{ranking.Name}' ({ranking.Description.Id}) reads 'sample.candidates', but built a node that is no {nameof(IRankingObjective)}, so that nothing ranks answers");
    }

    // An objective that several stages use in the same way is one object: what it has learnt carries over.
    private IObjective Objective(PlannedNode plan, NodeBuilder builder, ExecutableGraph? former)
    {
        if (objectives.Find(item => Alike(item.Plan, plan)) is { } known) return known.Objective!;
        var twins = objectives.Count(item => item.Plan.Name == plan.Name);
        var name = $"objectives.{plan.Name}{(twins == 0 ? "" : $"-{twins + 1}")}";
        var node = former?.objectives.Find(item => item.Name == name && Same(item.Plan, plan))?.Share() ?? builder.Build(plan, name, "objective");
        objectives.Add(node);
        return node.Objective
            ?? throw new UserErrorException($"'{plan.Name}' ({plan.Description.Id}) built a node that is no {nameof(IObjective)}, which its kind 'objective' promises");
    }

    private static bool Same(PlannedNode a, PlannedNode b) => Alike(a, b) && a.Inputs.Count == b.Inputs.Count &&
        a.Inputs.Zip(b.Inputs).All(pair => pair.First.Name == pair.Second.Name && pair.First.Source == pair.Second.Source && pair.First.Shape.Values.SequenceEqual(pair.Second.Shape.Values));

    private static bool Alike(PlannedNode a, PlannedNode b) =>
        a.Name == b.Name && a.Checkpoint == b.Checkpoint && ReferenceEquals(a.Description, b.Description) && SameSettings(a.Settings, b.Settings) &&
        a.Dimensions.Count == b.Dimensions.Count && !a.Dimensions.Except(b.Dimensions).Any();

    private static bool SameSettings(IReadOnlyDictionary<string, object?> a, IReadOnlyDictionary<string, object?> b) =>
        a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out var other) && SameValue(pair.Value, other));

    private static bool SameValue(object? a, object? b) => a is Array left && b is Array right ? left.Cast<object?>().SequenceEqual(right.Cast<object?>()) : Equals(a, b);

    private void CollectWeights()
    {
        var seen = new HashSet<Parameter>(ReferenceEqualityComparer.Instance);
        Parameters = [.. Owned.SelectMany(node => node.Parameters.Select(item => ($"{node.Name}.{item.Name}", item.Value))).Where(item => seen.Add(item.Value))];
        Buffers = [.. Owned.SelectMany(node => node.Buffers.Select(item => ($"{node.Name}.{item.Name}", item.Value)))];
    }

    private sealed class Held(BuiltNode node) : IDisposable
    {
        private BuiltNode? held = node;

        public void Dispose() => Interlocked.Exchange(ref held, null)?.Release();
    }
}
