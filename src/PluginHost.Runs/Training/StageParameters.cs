using PluginHost.Config;
using PluginHost.Graph;

namespace PluginHost.Runs.Training;

/// <summary>Which of a graph's parameters a stage trains, and in which group.</summary>
/// <param name="config">The stage.</param>
/// <param name="peak">Its peak learning rate.</param>
/// <param name="factors">The parts of the stage's learning rate that a tuning gives its parameters; null: all learn at the whole.</param>
internal sealed class StageParameters(StageConfig config, double peak, IReadOnlyDictionary<string, double>? factors = null)
{
    private readonly double[] parts = [.. (factors?.Values ?? []).Prepend(1).Distinct()];

    public StageParameters(StageConfig config) : this(config, config.LearningRate)
    {
    }

    public bool IsFrozen(string name) => config.Freeze.Any(pattern => pattern.Matches(name));

    /// <summary>Index of the parameter's group; 0 is that of all which no pattern matches and that learn at the whole rate.</summary>
    public int GroupOf(string name) => Pattern(name) * parts.Length + Array.IndexOf(parts, factors?.GetValueOrDefault(name, 1) ?? 1);

    /// <summary>What each group is trained with at a step.</summary>
    public GroupRate[] RatesAt(int step) => [.. config.Groups.Cast<ParameterGroup?>().Prepend(null).SelectMany(group => parts.Select(part => RateAt(step, group, part)))];

    /// <summary>The peak learning rate of a stage: what its file says, else for a tuned stage the part that its tuning names of pretraining's.</summary>
    public static double Peak(GraphPlan plan, int index, double? part)
    {
        var stage = plan.Stages[index].Config;
        if (stage.GivesLearningRate || part is not { } of) return stage.LearningRate;
        var before = plan.Stages.Take(index).Select(item => item.Config).ToList();
        var pretraining = stage.From is { } from ? before.Find(item => item.Name == from.Name) : before.FindLast(item => item.Tuning is null);
        return (pretraining?.LearningRate ?? stage.LearningRate) * of;
    }

    private int Pattern(string name)
    {
        for (var i = 0; i < config.Groups.Count; i++)
            if (config.Groups[i].Match.Matches(name)) return i + 1;
        return 0;
    }

    private GroupRate RateAt(int step, ParameterGroup? group, double part) => new(
        LearningRate.At(step, config.Steps, (group?.LearningRate ?? peak) * part, config.Warmup, config.FinalRate),
        group?.WeightDecay ?? config.WeightDecay);

    /// <summary>Holds the patterns of every stage against the graph's parameters, before anything is trained.</summary>
    /// <exception cref="ConfigException">A pattern matches nothing, or nothing is left to train.</exception>
    public static void Check(ExecutableGraph graph)
    {
        var names = graph.Parameters.Select(parameter => parameter.Name).ToArray();
        var errors = new List<ConfigError>();
        foreach (var stage in graph.Plan.Stages.Select(stage => stage.Config))
        {
            foreach (var pattern in stage.Freeze.Concat(stage.Groups.Select(group => group.Match)).Concat(stage.Weighting?.Shared ?? []).Where(pattern => !names.Any(pattern.Matches)))
                errors.Add(new ConfigError(pattern.Location, $"'{pattern.Text}' matches no parameter{Nearest(pattern.Text, names)}"));
            if (stage.Freeze.Count > 0 && names.Length > 0 && names.All(new StageParameters(stage).IsFrozen))
                errors.Add(new ConfigError(stage.Freeze[0].Location, $"'freeze' leaves stage '{stage.Name}' nothing to train; the graph's parameters are under {string.Join(", ", Tops(names))}"));
        }
        if (errors.Count > 0) throw new ConfigException(errors);
    }

    private static string Nearest(string pattern, string[] names)
    {
        // What stands before a star may be any beginning of a name, so those are candidates too.
        var stems = pattern.EndsWith(".*", StringComparison.Ordinal) ? names.SelectMany(Stems).Distinct() : [];
        var nearest = NearestName.Of(pattern, stems) ?? NearestName.Of(pattern, names);
        return nearest is null ? $"; the parameters are under {string.Join(", ", Tops(names))}" : $"; did you mean '{nearest}'?";
    }

    private static IEnumerable<string> Stems(string name)
    {
        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1)) yield return name[..dot] + ".*";
    }

    private static IEnumerable<string> Tops(string[] names) => names.Select(name => $"'{name[..(name.IndexOf('.', StringComparison.Ordinal) + 1)]}*'").Distinct();
}
