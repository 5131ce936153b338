using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Maps an item of <c>stages</c> to its record.</summary>
/// <param name="errors">Where errors go.</param>
/// <param name="objectives">Reads the stage's objectives.</param>
/// <param name="use">Reads the use of a plugin.</param>
internal sealed class StageReader(List<ConfigError> errors, Func<JsonObjectReader, IReadOnlyList<NodeConfig>> objectives, Func<JsonObjectReader, PluginUse> use)
{
    public StageConfig Read(JsonElementNode node, int index)
    {
        var reader = new JsonObjectReader(node, "a stage", errors);
        var defaults = new StageConfig { Name = $"stage{index}", Objectives = [] };
        var stage = new StageConfig
        {
            Name = reader.Text("name") ?? defaults.Name,
            From = Start(reader.Value("from"), "a stage before this one, or a run"),
            Tuning = Tuning(reader.Value("tuning")),
            Evaluate = reader.Flag("evaluate", false),
            GivesLearningRate = reader.Value("learningRate") is not null,
            Steps = (int)reader.Integer("steps", defaults.Steps, 1, 100_000_000),
            Batch = (int)reader.Integer("batch", defaults.Batch, 1, 65_536),
            Accumulate = (int)reader.Integer("accumulate", defaults.Accumulate, 1, 65_536),
            Parallel = (int)reader.Integer("parallel", defaults.Parallel, 1, 65_536),
            LearningRate = reader.Number("learningRate", defaults.LearningRate, 0, 10),
            Warmup = (int)reader.Integer("warmup", defaults.Warmup, 0, 100_000_000),
            FinalRate = reader.Number("finalRate", defaults.FinalRate, 0, 1),
            WeightDecay = reader.Number("weightDecay", defaults.WeightDecay, 0, 10),
            Clip = reader.Number("clip", defaults.Clip, 1e-6, 1e6),
            Tasks = reader.Texts("tasks", defaults.Tasks),
            TaskWeights = TaskWeights(reader),
            Turns = (int)reader.Integer("turns", defaults.Turns, 1, 1024),
            Candidates = (int)reader.Integer("candidates", defaults.Candidates, 2, 1024),
            ValidateEvery = (int)reader.Integer("validateEvery", defaults.ValidateEvery, 0, 100_000_000),
            CheckpointEvery = (int)reader.Integer("checkpointEvery", defaults.CheckpointEvery, 0, 100_000_000),
            KeepCheckpoints = (int)reader.Integer("keepCheckpoints", defaults.KeepCheckpoints, 1, 1000),
            Freeze = [.. (reader.Items("freeze") ?? []).Select(item => Pattern(item, "'freeze'")).OfType<NamePattern>()],
            Groups = [.. (reader.Items("groups") ?? []).Select(Group).OfType<ParameterGroup>()],
            Ema = reader.Number("ema", defaults.Ema, 0, 0.999999),
            Precision = Precision(reader),
            LossScale = LossScale(reader.Value("lossScale")),
            Objectives = objectives(reader),
            Weighting = Weighting(reader.Value("weighting")),
        };
        reader.End();
        if (stage.Parallel > stage.Accumulate)
            errors.Add(new ConfigError(node.Location, $"stage '{stage.Name}' cannot run {stage.Parallel} micro-batches at once ('parallel') when a step has {stage.Accumulate} ('accumulate')"));
        if (stage.Objectives.Count == 0 && node.Kind == JsonKind.Object)
            errors.Add(new ConfigError(node.Location, $"stage '{stage.Name}' needs 'objectives' with at least one objective"));
        return stage;
    }

    private string Precision(JsonObjectReader reader)
    {
        if (reader.Text("precision") is not { } name) return StagePrecisions.Fp32;
        if (!StagePrecisions.All.Contains(name))
            errors.Add(new ConfigError(reader.Value("precision")!.Location, $"'precision' is \"{name}\"; it can be {string.Join(", ", StagePrecisions.All)}"));
        return name;
    }

    private LossScaleConfig LossScale(JsonElementNode? node)
    {
        var defaults = new LossScaleConfig();
        if (node is null) return defaults;
        var reader = new JsonObjectReader(node, "'lossScale'", errors);
        var config = new LossScaleConfig(reader.Number("initial", defaults.Initial, 1, 1L << 40), (int)reader.Integer("interval", defaults.Interval, 1, 100_000_000));
        reader.End();
        return config;
    }

    private TuningConfig? Tuning(JsonElementNode? node)
    {
        if (node is null) return null;
        if (node.Kind == JsonKind.String) return new TuningConfig(new PluginUse(node.Text, null, node.Location), null);
        var reader = new JsonObjectReader(node, "'tuning'", errors);
        var config = new TuningConfig(use(reader), Start(reader.Value("from"), "the folder of a saved adapter"));
        reader.End();
        return config;
    }

    private StageStart? Start(JsonElementNode? node, string what)
    {
        if (node is null) return null;
        if (node.Kind == JsonKind.String && node.Text.Length > 0) return new StageStart(node.Text, node.Location);
        errors.Add(new ConfigError(node.Location, $"'from' names {what}; this is {JsonObjectReader.Describe(node)}"));
        return null;
    }

    private WeightingConfig? Weighting(JsonElementNode? node)
    {
        if (node is null) return null;
        if (node.Kind == JsonKind.String) return new WeightingConfig(new PluginUse(node.Text, null, node.Location), []);
        var reader = new JsonObjectReader(node, "'weighting'", errors);
        var config = new WeightingConfig(use(reader), [.. (reader.Items("shared") ?? []).Select(item => Pattern(item, "'shared'")).OfType<NamePattern>()]);
        reader.End();
        return config;
    }

    private ParameterGroup? Group(JsonElementNode node)
    {
        var reader = new JsonObjectReader(node, "a parameter group", errors);
        var match = reader.Required("match") is { } text ? Pattern(text, "'match'") : null;
        double? Optional(string name) => reader.Value(name) is null ? null : reader.Number(name, 0, 0, 10);
        var group = match is null ? null : new ParameterGroup(match, Optional("learningRate"), Optional("weightDecay"));
        reader.End();
        return group;
    }

    private List<TaskWeight> TaskWeights(JsonObjectReader stage)
    {
        var members = stage.Members("taskWeights");
        if (members.Count == 0) return [];
        var reader = new JsonObjectReader(stage.Value("taskWeights")!, "'taskWeights'", errors);
        return [.. members.Select(member => new TaskWeight(member.Name, reader.Number(member.Name, 1, 0.001, 1000)))];
    }

    private NamePattern? Pattern(JsonElementNode node, string what)
    {
        if (node.Kind == JsonKind.String && node.Text.Length > 0) return new NamePattern(node.Text, node.Location);
        errors.Add(new ConfigError(node.Location, $"{what} names parameters, such as \"decoder.*\"; this is {JsonObjectReader.Describe(node)}"));
        return null;
    }
}
