using System.Globalization;
using System.Text.Json;
using PluginHost.Artifacts;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph;

namespace PluginHost.Commands;

/// <summary><c>pluginhost plan</c>: checks a project and shows what it would build, running no plugin code.</summary>
public static class PlanCommand
{
    /// <summary>Plans a project and prints the plan.</summary>
    /// <returns>The exit code: 0.</returns>
    /// <exception cref="ConfigException">All that is wrong with the project.</exception>
    public static int Run(string project, IReadOnlyList<string> set, string? hostFile, bool json, TextWriter output)
    {
        var host = HostFile.Read(hostFile);
        using var catalog = PluginCatalog.Discover(host);
        var plan = GraphPlanner.Plan(ProjectFile.Read(project, set, RunFolder.Finder(host.Artifacts)), catalog.Installed);
        if (json) output.WriteLine(ToJson(plan));
        else Print(plan, output);
        return 0;
    }

    internal static void Print(GraphPlan plan, TextWriter output)
    {
        output.WriteLine($"{plan.Project.Name}: data from {string.Join(", ", plan.Sources.Select(source => plan.Sources.Count == 1 ? source.Plugin.Description.Id : $"{source.Weight} x {source.Plugin.Description.Id}").DefaultIfEmpty("nowhere"))}{(plan.Tokenizer is { } tokenizer ? $", text by {tokenizer.Description.Id} ({plan.Vocabulary} ids)" : "")}{(plan.Templates is { } templates ? $", instructions worded by {templates.Description.Id}" : "")}");
        foreach (var (round, number) in plan.Filters.Select((round, i) => (round, i + 1)))
            output.WriteLine($"filter round {number} of 'data build': {string.Join(", ", round.Select(filter => filter.Description.Id))}");
        foreach (var transform in plan.Transforms)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"transform {transform.Plugin.Description.Id} with a chance of {transform.Chance} in training"));
        output.WriteLine();
        var table = new TextTable("node", "plugin", "inputs", "outputs", "parameters", "memory");
        foreach (var node in plan.Nodes)
        {
            var inputs = node.Inputs.Select(input => $"{input.Name} <- {input.Source ?? "nothing"}").DefaultIfEmpty("").ToArray();
            var outputs = node.Outputs.Select(item => $"{item.Name} {item.Shape}").DefaultIfEmpty("").ToArray();
            for (var i = 0; i < Math.Max(inputs.Length, outputs.Length); i++)
                table.Add(i > 0 ? "" : node.Name, i > 0 ? "" : node.Description.Id, inputs.ElementAtOrDefault(i) ?? "", outputs.ElementAtOrDefault(i) ?? "",
                    i > 0 ? "" : Count(node.Parameters), i > 0 ? "" : Bytes(node));
        }
        table.Write(output);
        output.WriteLine();
        foreach (var stage in plan.Stages)
            output.WriteLine($"stage {stage.Config.Name}: {stage.Config.Steps} steps of {stage.Config.Batch * stage.Config.Accumulate} samples; "
                + string.Join(", ", stage.Objectives.Select(Describe)) + (stage.Weighting is { } weighting ? $"; weighed by {weighting.Description.Id}" : "")
                + (stage.Tuning is { } tuning ? $"; {Describe(tuning, PlanCost.Of(plan).Parameters)}" : "") + (stage.Config.From is { } from ? $"; begins with what '{from.Name}' leaves" : ""));
        foreach (var evaluation in plan.Evaluations)
            output.WriteLine($"evaluate {evaluation.Metric.Name} on {string.Join(", ", evaluation.Config.Splits)}{Wires(evaluation.Metric)}");
        if (plan.RankingObjective is { } ranking)
            output.WriteLine($"no decoder: {ranking.Name} ({ranking.Description.Id}) ranks the answers that training samples give to a question's task");
        output.WriteLine();
        var (cost, at) = (PlanCost.Of(plan), PlanCost.Parallel(plan));
        output.WriteLine($"{Count(cost.Parameters)} parameters; about {FigureText.Size(cost.StateBytes + cost.ActivationBytes)} in training "
            + $"(weights, gradients, AdamW: {FigureText.Size(cost.StateBytes)}; {(at > 1 ? $"{at} micro-batches at once" : "one micro-batch")}: {FigureText.Size(cost.ActivationBytes)})");
    }

    private static string Describe(PlannedObjective objective) =>
        string.Create(CultureInfo.InvariantCulture, $"{objective.Name} = {objective.Weight} x {objective.Node.Description.Id}{Wires(objective.Node)}");

    private static string Describe(PlannedTuning tuning, long all) => tuning.Trained is not { } trained ? $"tuned by {tuning.Plugin.Description.Id}"
        : string.Create(CultureInfo.InvariantCulture, $"tuned by {tuning.Plugin.Description.Id}, which trains {trained:N0} parameters ({100.0 * trained / Math.Max(all, 1):0.0} %; gradients and AdamW: {FigureText.Size(PlanCost.TrainingBytes(trained))})");

    private static string Wires(PlannedNode node)
    {
        var wires = node.Inputs.Where(input => input.Source is not null).Select(input => $"{input.Name} <- {input.Source}").ToArray();
        return wires.Length == 0 ? "" : $" ({string.Join(", ", wires)})";
    }

    private static string Count(long? count) => count?.ToString("N0", CultureInfo.InvariantCulture) ?? "?";

    private static string Bytes(PlannedNode node) => PlanCost.Of(node) is { } cost ? FigureText.Size(cost.StateBytes + cost.ActivationBytes) : "?";

    private static string ToJson(GraphPlan plan)
    {
        var cost = PlanCost.Of(plan);
        return JsonSerializer.Serialize(new
        {
            name = plan.Project.Name,
            sources = plan.Sources.Select(source => new { id = source.Plugin.Description.Id, weight = source.Weight }),
            tokenizer = plan.Tokenizer?.Description.Id,
            vocabulary = plan.Vocabulary,
            filters = plan.Filters.Select(round => round.Select(ToJson)),
            transforms = plan.Transforms.Select(transform => new { chance = transform.Chance, plugin = ToJson(transform.Plugin) }),
            nodes = plan.Nodes.Select(ToJson),
            stages = plan.Stages.Select(stage => new
            {
                name = stage.Config.Name,
                steps = stage.Config.Steps,
                batch = stage.Config.Batch,
                accumulate = stage.Config.Accumulate,
                parallel = stage.Config.Parallel,
                objectives = stage.Objectives.Select(objective => new { name = objective.Name, weight = objective.Weight, node = ToJson(objective.Node) }),
                weighting = stage.Weighting is { } weighting ? ToJson(weighting) : null,
                from = stage.Config.From?.Name,
                tuning = stage.Tuning is { } tuning ? ToJson(tuning.Plugin) : null,
                trainableParameters = stage.Tuning?.Trained,
                optimizerAndGradientBytes = stage.Tuning?.Trained is { } trained ? PlanCost.TrainingBytes(trained) : (long?)null,
            }),
            evaluations = plan.Evaluations.Select(evaluation => new { splits = evaluation.Config.Splits, node = ToJson(evaluation.Metric) }),
            ranking = plan.RankingObjective?.Name,
            parameters = cost.Parameters,
            memoryBytes = cost.StateBytes + cost.ActivationBytes,
        }, PlainJson.Options);
    }

    private static object ToJson(PlannedPlugin plugin) => new { plugin = plugin.Description.Id, version = plugin.Description.Version, settings = plugin.Settings };

    private static object ToJson(PlannedNode node) => new
    {
        name = node.Name,
        plugin = node.Description.Id,
        version = node.Description.Version,
        settings = node.Settings,
        inputs = node.Inputs.Select(input => new { name = input.Name, source = input.Source, shape = input.Shape.ToString() }),
        outputs = node.Outputs.Select(output => new { name = output.Name, shape = output.Shape.ToString() }),
        parameters = node.Parameters,
        activationFloats = node.ActivationFloats,
    };
}
