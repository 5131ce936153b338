using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Graph;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary>Which evaluations a metric is for a run: those of its project, or such as a project would have.</summary>
/// <param name="project">The run's project.</param>
/// <param name="plan">Its plan.</param>
/// <param name="encoder">The run whose features metrics take that name none.</param>
internal sealed class EvaluationChoice(ProjectConfig project, GraphPlan plan, string encoder)
{
    private const int Limit = 150;

    private static readonly JsonLocation Here = new("pluginhost evaluate", 1, 1, "$");

    /// <summary>The evaluations; none when the run has nothing that the metric could be wired to.</summary>
    public IReadOnlyList<EvaluationConfig> Of(PluginDescription metric)
    {
        var own = project.Evaluate.Where(evaluation => evaluation.Metric.Use.Id == metric.Id).ToList();
        if (metric.Implements<IEmbeddingMetric>()) return [.. own, .. Pairs(metric).Where(pair => own.TrueForAll(known => !SameWires(known, pair)))];
        return own.Count > 0 ? own : [Answers(metric)];
    }

    /// <summary>On the questions that the project's own metrics of answers ask, or on all.</summary>
    private EvaluationConfig Answers(PluginDescription metric)
    {
        var like = project.Evaluate.Where(evaluation => evaluation.Metric.In.Count == 0).ToList();
        var config = new EvaluationConfig { Metric = new NodeConfig(metric.Id, Use(metric), []), Limit = Limit };
        if (like.Count == 0) return config;
        return config with
        {
            Splits = [.. like.SelectMany(evaluation => evaluation.Splits).Distinct()],
            Tasks = like.Exists(evaluation => evaluation.Tasks.Count == 0) ? [] : [.. like.SelectMany(evaluation => evaluation.Tasks).Distinct()],
            Limit = like.Max(evaluation => evaluation.Limit == 0 ? int.MaxValue : evaluation.Limit) is var most and < int.MaxValue ? most : 0,
        };
    }

    // Both ways between texts and each medium that an objective has drawn near to them.
    private IEnumerable<EvaluationConfig> Pairs(PluginDescription metric)
    {
        var space = SharedSpace.Of(plan);
        if (!space.TryGetValue(SamplePort.Caption, out var text)) yield break;
        foreach (var (_, medium) in space.Where(tower => tower.Key != SamplePort.Caption))
            foreach (var (query, key) in new[] { (medium, text), (text, medium) })
                yield return new EvaluationConfig { Metric = new NodeConfig(metric.Id, Use(metric), [new Wire("query", Output(query), Here), new Wire("key", Output(key), Here)]), Limit = Limit };
    }

    private string Output(int slot) => plan.Nodes.SelectMany(node => node.Outputs.Where(output => output.Slot == slot).Select(output => $"{node.Name}.{output.Name}")).First();

    private PluginUse Use(PluginDescription metric)
    {
        var settings = metric.Requires.Select(item => item.Option).OfType<string>().Select(option => new JsonMember(option, Here, JsonElementNode.String(Here, encoder))).ToList();
        return new PluginUse(metric.Id, settings.Count == 0 ? null : JsonElementNode.Object(Here, settings), Here);
    }

    private static bool SameWires(EvaluationConfig a, EvaluationConfig b) => Wires(a).SetEquals(Wires(b));

    private static HashSet<(string, string)> Wires(EvaluationConfig evaluation) => [.. evaluation.Metric.In.Select(wire => (wire.Input, wire.Source))];
}
