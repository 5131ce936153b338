using PluginHost.Config;

namespace PluginHost.Graph.Planning;

/// <summary>Turns solved drafts into plan records and hands out slots.</summary>
internal sealed class PlanAssembly
{
    private readonly Dictionary<DraftPort, int> slots = [];
    private readonly DimensionVariable batch;
    private readonly DimensionVariable[] texts;
    private readonly long batchSize;
    private readonly long textLength;

    public PlanAssembly(ProjectConfig project, IReadOnlyList<DraftPort> sample, DimensionVariable batch, IReadOnlyList<DraftNode> all)
    {
        this.batch = batch;
        batchSize = project.Stages.Count > 0 ? project.Stages[0].Batch : new StageConfig { Name = "", Objectives = [] }.Batch;
        textLength = project.Data.TextLength;
        texts = [.. sample.Where(port => port.Scope.Variables.ContainsKey("T")).Select(port => port.Scope.Variable("T").Root)];
        var read = all.SelectMany(node => node.Inputs).Select(input => input.Source).ToHashSet();
        SampleSlots = [.. SamplePorts.All.Select(port => sample.FirstOrDefault(item => item.Name == SamplePorts.NameOf(port)))
            .Select(port => port is not null && read.Contains(port) ? Slot(port) : -1)];
        foreach (var output in all.SelectMany(node => node.Outputs)) Slot(output);
    }

    public IReadOnlyList<int> SampleSlots { get; }

    public int SlotCount => slots.Count;

    public PlannedNode Node(DraftNode node)
    {
        var cost = new CostEstimate(node.Scope, batch, batchSize, texts, textLength);
        var dimensions = node.Scope.Variables.Where(pair => pair.Value.Root.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value.Root.Value!.Value);
        return new PlannedNode(
            node.Name, node.Plugin, node.Settings, [.. node.Inputs.Select(Input)],
            [.. node.Outputs.Select(output => new PlannedOutput(output.Name, output.Shape, Slot(output)))],
            dimensions, cost.Of(node.Plugin.Parameters), node.Config.Checkpoint ? null : cost.Of(node.Plugin.Activations))
        {
            Checkpoint = node.Config.Checkpoint,
            Tower = Tower(node, cost),
        };
    }

    private static PlannedTower? Tower(DraftNode node, CostEstimate sizes) =>
        node.Plugin.Tower is { } tower && sizes.Of(tower.Layers) is { } layers && sizes.Of(tower.Width) is { } width && sizes.Of(tower.KeyWidth) is { } keys && sizes.Of(tower.FeedForward) is { } inner
            ? new PlannedTower(layers, width, keys, inner)
            : null;

    private PlannedInput Input(DraftInput input) =>
        new(input.Port.Name, input.Source?.FullName, input.Source is null ? -1 : Slot(input.Source), (input.Source ?? input.Port).Shape);

    private int Slot(DraftPort port)
    {
        if (!slots.TryGetValue(port, out var slot)) slots[port] = slot = slots.Count;
        return slot;
    }
}
