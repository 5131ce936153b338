using PluginHost.Catalog;
using PluginHost.Catalog.Ports;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Graph.Planning;

/// <summary>The steps of planning in order: plugins, nodes, wires, dimensions, order.</summary>
internal sealed class PlanDraft(ProjectConfig project, PluginSet plugins, ITrainedModels? models, List<ConfigError> errors)
{
    private readonly PluginResolver plugins = new(plugins, models, errors);
    private readonly DimensionVariable batch = new() { Dynamic = "the batch" };
    private readonly HashSet<string> broken = [];

    /// <summary>The plan, or null with errors.</summary>
    public GraphPlan? Solve()
    {
        var sources = project.Data.Sources.Select(item => (Plugin: plugins.Resolve(item.Use, PluginRole.Source), item.Weight)).ToArray();
        var known = errors.Count;
        var tokenizer = project.Data.Tokenizer is { } use ? plugins.Resolve(use, PluginRole.Tokenizer) : null;
        var vocabulary = errors.Count == known ? Vocabulary(tokenizer) : null;
        var templates = project.Data.Templates is { } words ? plugins.Resolve(words, PluginRole.Template) : null;
        var media = project.Data.Media.Select(item => plugins.Resolve(item, PluginRole.Media)).ToArray();
        var filters = project.Data.Filters.Select(round => round.Select(item => plugins.Resolve(item, PluginRole.Filter)).ToArray()).ToArray();
        var transforms = project.Data.Transforms.Select(item => (Plugin: plugins.Resolve(item.Use, PluginRole.Transform), item.Chance)).ToArray();
        var sample = Sample(vocabulary);

        var nodes = Nodes();
        var objectives = project.Stages.Select(stage => stage.Objectives.Select(item => Draft(item, PluginRole.Objective)).ToArray()).ToArray();
        var weightings = project.Stages.Select(stage => stage.Weighting is { } weighting ? plugins.Resolve(weighting.Use, PluginRole.Weighting) : null).ToArray();
        var tunings = project.Stages.Select(stage => stage.Tuning is { } tuning ? plugins.Resolve(tuning.Use, PluginRole.Tuning) : null).ToArray();
        var metrics = project.Evaluate.Select(item => Draft(item.Metric, PluginRole.Metric)).ToArray();
        DraftNode[] all = [.. nodes, .. objectives.SelectMany(stage => stage).OfType<DraftNode>(), .. metrics.OfType<DraftNode>()];

        Wire(sample, nodes, all);
        foreach (var node in all) CheckDimensions(node);
        CheckDecoder(nodes, metrics, objectives.SelectMany(stage => stage).OfType<DraftNode>());
        var order = NodeOrder.Sort(nodes, errors);
        if (errors.Count > 0) return null;

        var assembly = new PlanAssembly(project, sample, batch, all);
        var plan = new GraphPlan
        {
            Project = project,
            Sources = [.. sources.Select(item => new PlannedSource(item.Plugin!, item.Weight))],
            Tokenizer = tokenizer,
            Templates = templates,
            Media = project.Data.Media.Count == 0 ? plugins.All(PluginRole.Media) : [.. media.Select(item => item!)],
            Filters = [.. filters.Select(round => (IReadOnlyList<PlannedPlugin>)[.. round.Select(item => item!)])],
            Transforms = [.. transforms.Select(item => new PlannedTransform(item.Plugin!, item.Chance))],
            Vocabulary = vocabulary ?? 0,
            SampleSlots = assembly.SampleSlots,
            Nodes = [.. order.Select(assembly.Node)],
            SlotCount = assembly.SlotCount,
            Stages = [.. project.Stages.Select((stage, i) => new PlannedStage(stage,
                [.. objectives[i].Select(draft => new PlannedObjective(draft!.Name, draft.Config.Weight, assembly.Node(draft)))]) { Weighting = weightings[i], Tuning = tunings[i] is { } tuning ? new PlannedTuning(tuning, null) : null })],
            Evaluations = [.. project.Evaluate.Zip(metrics, (evaluation, draft) => new PlannedEvaluation(evaluation, assembly.Node(draft!)) { Requirements = draft!.Requirements })],
        };
        plan = TuningEstimate.Fill(plan, errors);
        return errors.Count == 0 ? plan : null;
    }

    private long? Vocabulary(PlannedPlugin? tokenizer)
    {
        if (tokenizer is null) return null;
        if (tokenizer.Settings.TryGetValue("vocabulary", out var value) && value is long vocabulary) return vocabulary;
        errors.Add(new ConfigError(project.Data.Tokenizer!.Location, $"{tokenizer.Description.Id} has no setting 'vocabulary', from which the ports of text take their size"));
        return null;
    }

    private List<DraftPort> Sample(long? vocabulary)
    {
        var ports = new List<DraftPort>();
        foreach (var port in SamplePorts.All)
        {
            if (SamplePorts.IsText(port) && project.Data.Tokenizer is null) continue;
            var scope = new PortScope(batch, new Dictionary<string, long>());
            if (SamplePorts.IsText(port)) scope.Declare("T", $"the length of '{SamplePorts.SourceOf(port)}'");
            ports.Add(new DraftPort(null, SamplePorts.NameOf(port), SamplePorts.TypeOf(port, project.Data, vocabulary), scope));
        }
        return ports;
    }

    private List<DraftNode> Nodes()
    {
        if (project.Graph.Count == 0) errors.Add(new ConfigError(project.Source.Location, "a project needs 'graph' with at least one node"));
        var nodes = new List<DraftNode>();
        foreach (var node in project.Graph)
        {
            if (node.Name == SamplePorts.Node)
                errors.Add(new ConfigError(node.Use.Location, $"a node cannot be named '{SamplePorts.Node}': its outputs would have two producers, the node and the data; choose another name"));
            else if (Draft(node, PluginRole.Node) is { } draft) nodes.Add(draft);
            else broken.Add(node.Name);
        }
        return nodes;
    }

    private DraftNode? Draft(NodeConfig node, PluginRole role)
    {
        var known = errors.Count;
        var use = plugins.Resolve(node.Use, role);
        if (node.Checkpoint && use is { Description.Checkpoints: false })
            errors.Add(new ConfigError(node.Use.Location, $"'checkpoint' is true, but {use.Description.Id} cannot compute its layers twice; leave it out"));
        return use is { } plugin ? new DraftNode(node, plugin, batch, trusted: errors.Count == known) : null;
    }

    // What the config wires comes first: it fixes dimensions that help to choose the rest.
    private void Wire(List<DraftPort> sample, List<DraftNode> nodes, DraftNode[] all)
    {
        var wiring = new Wiring(sample, nodes, broken, project.Data.Tokenizer is not null, errors);
        foreach (var node in all) wiring.Connect(node);
        wiring.Settle();
        // With two decoders every input named 'logits' is ambiguous; the decoders themselves are reported.
        if (nodes.Count(IsDecoder) > 1) return;
        foreach (var node in all) wiring.Complete(node);
        wiring.Settle();
    }

    private void CheckDimensions(DraftNode node)
    {
        foreach (var port in node.Inputs.Where(input => input.Source is not null || !input.Optional).Select(input => input.Port).Concat(node.Outputs))
        {
            foreach (var dimension in port.Type.Dimensions)
            {
                try
                {
                    var value = dimension.Evaluate(port.Scope, exact: true);
                    if (value <= 0) errors.Add(new ConfigError(node.Location, $"{Typed(node, port)}: {FormulaText.Of(dimension, port.Scope)} is {value}, and a dimension is at least 1"));
                }
                catch (ArithmeticException problem)
                {
                    errors.Add(new ConfigError(node.Location, $"{Typed(node, port)}: {problem.Message}; choose a size that divides evenly"));
                }
            }
            if (port.Type.Structure == PortStructure.Fusion && broken.Count == 0 && errors.Count == 0 && port.Terms.Any(term => term.Value is null))
                errors.Add(new ConfigError(node.Location, $"no tower takes '{port.FullName}', so its {port.Shape} cannot be solved; wire it to the 'context' of a decoder or of a text encoder"));
        }
    }

    private static string Typed(DraftNode node, DraftPort port) => $"'{port.FullName}' of {node.Plugin.Id} is {FormulaText.Of(port.Type, port.Scope)}";

    private static bool IsDecoder(DraftNode node) => node.Plugin.Kind == "decoder";

    private void CheckDecoder(List<DraftNode> nodes, DraftNode?[] metrics, IEnumerable<DraftNode> objectives)
    {
        var decoders = nodes.Where(IsDecoder).ToArray();
        if (decoders.Length > 1)
            errors.Add(new ConfigError(decoders[1].Location, $"a graph has at most one decoder, but '{decoders[0].Name}' is one too; remove one of them"));
        if (decoders.Length > 0 || broken.Count > 0) return;
        if (objectives.Any(objective => GraphPlan.ReadsCandidates(objective.Inputs.Select(input => input.Source?.FullName)))) return;
        foreach (var metric in metrics.OfType<DraftNode>().Where(metric => metric.Plugin.Implements<ITextMetric>() || metric.Plugin.Implements<IMediaMetric>()))
            errors.Add(new ConfigError(metric.Location, $"{metric.Title} rates answers, but the graph has neither a decoder to write them nor an objective that ranks them, which would read 'sample.candidates'"));
    }
}
