using System.Text.Json;
using PluginHost.Catalog;
using PluginHost.Graph;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Dashboard;

/// <summary>A graph and its changes as JSON.</summary>
internal static class GraphJson
{
    public static void Write(Utf8JsonWriter writer, string model, GraphPlan plan, IReadOnlyList<PluginState> plugins) => JsonSerializer.Serialize(writer, new
    {
        model,
        sources = plan.Sources.Select(source => source.Plugin.Description.Id),
        tokenizer = plan.Tokenizer?.Description.Id,
        vocabulary = plan.Vocabulary,
        nodes = plan.Nodes.Select(node => Node(node, plugins)),
        stages = plan.Stages.Select(stage => new { name = stage.Config.Name, steps = stage.Config.Steps, objectives = stage.Objectives.Select(objective => objective.Node.Description.Id), tuning = stage.Tuning?.Plugin.Description.Id }),
    });

    public static void Write(Utf8JsonWriter writer, NodeChange change) => JsonSerializer.Serialize(writer, new
    {
        changes = change.Values.Select(value => new { path = value.Path, old = value.Old, @new = value.New, effect = value.Effect }),
        applied = change.Done is not null,
        text = change.Done,
    });

    private static object Node(PlannedNode node, IReadOnlyList<PluginState> plugins) => new
    {
        name = node.Name,
        plugin = node.Description.Id,
        version = node.Description.Version,
        summary = node.Description.Summary,
        parameters = node.Parameters,
        inputs = node.Inputs.Select(input => new { name = input.Name, source = input.Source, shape = input.Shape.ToString() }),
        outputs = node.Outputs.Select(output => new { name = output.Name, shape = output.Shape.ToString() }),
        settings = node.Settings,
        options = node.Description.Options.Select(Option),
        alternatives = plugins.Where(plugin => plugin.Kind == node.Description.Kind).Select(plugin => plugin.Id),
    };

    private static object Option(OptionDescription option) => new
    {
        name = option.Name,
        type = option.Type.ToString().ToLowerInvariant(),
        array = option.Array,
        nullable = option.Nullable,
        choices = option.Choices,
        @default = option.Default,
        minimum = option.Minimum,
        maximum = option.Maximum,
        description = option.Description,
    };
}
