using PluginHost.Catalog.Ports;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Graph.Planning;

/// <summary>What the tunings of a plan train, by their formulas and by what the towers' plugins say of them.</summary>
internal static class TuningEstimate
{
    /// <summary>The plan with it; a target that names nothing is an error.</summary>
    public static GraphPlan Fill(GraphPlan plan, List<ConfigError> errors) => plan with { Stages = [.. plan.Stages.Select(stage => stage.Tuning is null ? stage : Fill(plan, stage, errors))] };

    private static PlannedStage Fill(GraphPlan plan, PlannedStage stage, List<ConfigError> errors)
    {
        var (use, plugin) = (stage.Config.Tuning!.Use, stage.Tuning!.Plugin);
        // Of a tower that does not say what it exposes, nothing is known: then what a target names is checked when the run begins.
        var projections = plan.Nodes.All(node => node.Description.Kind is not ("encoder" or "decoder") || node.Tower is not null) ? plan.Nodes.SelectMany(Projections).ToList() : null;
        if (projections is not null)
            foreach (var target in TuningBindings.Targets(plugin.Settings).Where(target => !projections.Any(item => NamePart.Matches(target, item.Name))))
                errors.Add(new ConfigError(Location(use, plugin) ?? use.Location, $"'{target}' names no projection of this graph; {NamePart.Nearest(target, projections.Select(item => item.Name))}"));
        var keyValues = plan.DecoderNode?.Tower is { } decoder ? 2 * decoder.Layers * decoder.KeyWidth : (long?)null;
        return stage with { Tuning = stage.Tuning with { Trained = new TuningBindings(PlanCost.Of(plan).Parameters, keyValues, projections, plugin.Description, plugin.Settings).Trained } };
    }

    private static Config.Json.JsonLocation? Location(PluginUse use, PlannedPlugin plugin) =>
        plugin.Description.Options.FirstOrDefault(option => option.Name == "targets") is { } targets
            ? targets.Aliases.Prepend(targets.Name).Select(name => use.Settings?.Find(name)?.Location).FirstOrDefault(location => location is not null)
            : null;

    private static IEnumerable<TunableProjection> Projections(PlannedNode node)
    {
        if (node.Tower is not { } tower) yield break;
        for (var layer = 0; layer < tower.Layers; layer++)
        {
            var (attention, inner) = ($"{node.Name}.layers.{layer}.attention", $"{node.Name}.layers.{layer}.feed_forward");
            yield return new($"{attention}.q_proj", tower.Width, tower.Width);
            yield return new($"{attention}.k_proj", tower.KeyWidth, tower.Width);
            yield return new($"{attention}.v_proj", tower.KeyWidth, tower.Width);
            yield return new($"{attention}.o_proj", tower.Width, tower.Width);
            yield return new($"{inner}.gate_proj", tower.FeedForward, tower.Width);
            yield return new($"{inner}.up_proj", tower.FeedForward, tower.Width);
            yield return new($"{inner}.down_proj", tower.Width, tower.FeedForward);
        }
    }
}
