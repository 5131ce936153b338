using System.Text.RegularExpressions;
using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Maps a tree to the project's records; what is wrong is collected, not thrown.</summary>
internal sealed partial class ProjectReader(List<ConfigError> errors)
{
    private bool trained;

    public ProjectConfig Project(JsonElementNode root, string path)
    {
        var reader = new JsonObjectReader(root, "a project", errors);
        reader.Text("$schema");
        var name = reader.Text("name");
        trained = reader.Value("stages") is { Items.Count: > 0 } || reader.Value("evaluate") is { Items.Count: > 0 };
        if (name is not null && !FileName().IsMatch(name))
            errors.Add(new ConfigError(root.Find("name")!.Location, $"'{name}' names folders: letters, digits, '-', '_' and '.' only"));
        var project = new ProjectConfig
        {
            Path = path,
            Name = name ?? Path.GetFileNameWithoutExtension(path),
            Seed = reader.Integer("seed", 1, 0, long.MaxValue),
            Data = Data(reader.Required("data")),
            Graph = Nodes(reader.Members("graph"), "a graph node"),
            Stages = [.. (reader.Items("stages") ?? []).Select(new StageReader(errors, reader => Nodes(reader.Members("objectives"), "an objective"), reader => Use(reader, required: true)).Read)],
            Evaluate = [.. (reader.Items("evaluate") ?? []).Select(Evaluation)],
            Source = root,
        };
        reader.End();
        RefuseTwins(project.Stages);
        RefuseLaterStarts(project.Stages);
        return project;
    }

    private DataConfig Data(JsonElementNode? node)
    {
        if (node is null) return new DataConfig { Sources = [] };
        if (node.Kind == JsonKind.String) return new DataConfig { Sources = [new SourceConfig(Use(node), 1)] };
        var defaults = new DataConfig { Sources = [] };
        var reader = new JsonObjectReader(node, "'data'", errors);
        var sources = Sources(reader);
        var tokenizer = reader.Value("tokenizer");
        var templates = reader.Value("templates");
        var image = Section(reader, "image");
        var audio = Section(reader, "audio");
        var video = Section(reader, "video");
        var text = Section(reader, "text");
        var data = new DataConfig
        {
            Sources = sources,
            Tokenizer = tokenizer is null ? null : Tokenizer(tokenizer),
            TokenizerFrom = tokenizer?.Find("from") is { Kind: JsonKind.String } from ? from.Text : null,
            Templates = templates is null ? null : Use(templates),
            Media = [.. (reader.Items("media") ?? []).Select(Use)],
            Filters = [.. (reader.Items("filters") ?? []).Select(Round)],
            Transforms = [.. (reader.Items("transforms") ?? []).Select(Transform)],
            ImageSize = (int)image.Integer("size", defaults.ImageSize, 8, 1024),
            AudioRate = (int)audio.Integer("rate", defaults.AudioRate, 2000, 48000),
            AudioSeconds = audio.Number("seconds", defaults.AudioSeconds, 0.1, 30),
            VideoSize = (int)video.Integer("size", defaults.VideoSize, 8, 1024),
            VideoFrames = (int)video.Integer("frames", defaults.VideoFrames, 1, 1024),
            VideoRate = video.Number("rate", defaults.VideoRate, 0.1, 60),
            TextLength = (int)text.Integer("length", defaults.TextLength, 8, 8192),
            TextBucket = (int)text.Integer("bucket", defaults.TextBucket, 1, 1000),
            Corpus = (int)reader.Integer("corpus", defaults.Corpus, 1, 10_000_000),
            Folds = (int)reader.Integer("folds", defaults.Folds, 1, 1000),
            Fold = (int)reader.Integer("fold", defaults.Fold, 0, 999),
            Workers = (int)reader.Integer("workers", defaults.Workers, 0, 64),
            DecodeSeconds = reader.Number("decodeSeconds", defaults.DecodeSeconds, 0.1, 3600),
            Languages = text.Texts("languages", defaults.Languages),
        };
        if (data.Fold >= data.Folds) errors.Add(new ConfigError(reader.Location, $"'fold' is {data.Fold}, but there are {data.Folds} 'folds': it is {data.Folds - 1} at most"));
        if (data.Languages.Count == 0) errors.Add(new ConfigError(text.Location, "'languages' needs at least one language, such as \"en\""));
        foreach (var part in (JsonObjectReader[])[image, audio, video, text, reader]) part.End();
        return data;
    }

    private PluginUse Tokenizer(JsonElementNode node)
    {
        if (node.Kind == JsonKind.String) return Use(node);
        var reader = new JsonObjectReader(node, "a tokenizer", errors);
        var use = Use(reader, required: true);
        reader.Text("from");
        reader.End();
        return use;
    }

    private IReadOnlyList<SourceConfig> Sources(JsonObjectReader reader)
    {
        // A model that is only asked needs no samples.
        if (!trained && reader.Value("use") is null && reader.Value("mix") is null) return [];
        if (reader.Items("mix") is not { } mix) return [new SourceConfig(Use(reader, required: true), 1)];
        if (reader.Value("use") is { } both) errors.Add(new ConfigError(both.Location, "'data' has one source ('use') or several ('mix'), not both"));
        else if (mix.Count == 0) errors.Add(new ConfigError(reader.Location, "'mix' needs at least one source"));
        return [.. mix.Select(Source)];
    }

    private SourceConfig Source(JsonElementNode node)
    {
        if (node.Kind == JsonKind.String) return new SourceConfig(Use(node), 1);
        var reader = new JsonObjectReader(node, "a source", errors);
        var source = new SourceConfig(Use(reader, required: true), (int)reader.Integer("weight", 1, 1, 1000));
        reader.End();
        return source;
    }

    private IReadOnlyList<PluginUse> Round(JsonElementNode node) => node.Kind == JsonKind.Array ? [.. node.Items.Select(Use)] : [Use(node)];

    private TransformConfig Transform(JsonElementNode node)
    {
        if (node.Kind == JsonKind.String) return new TransformConfig(Use(node), 1);
        var reader = new JsonObjectReader(node, "a transform", errors);
        var transform = new TransformConfig(Use(reader, required: true), reader.Number("chance", 1, 0, 1));
        reader.End();
        return transform;
    }

    private JsonObjectReader Section(JsonObjectReader reader, string name) =>
        new(reader.Value(name) ?? JsonElementNode.Object(reader.Location, []), $"'{name}'", errors);

    private List<NodeConfig> Nodes(IReadOnlyList<JsonMember> members, string what)
    {
        var nodes = new List<NodeConfig>();
        foreach (var member in members)
        {
            if (!NodeName().IsMatch(member.Name))
                errors.Add(new ConfigError(member.NameLocation, $"'{member.Name}' cannot name {what}: a letter, then letters, digits, '-' or '_'"));
            nodes.Add(Node(member.Value, member.Name, what, weighted: what == "an objective"));
        }
        return nodes;
    }

    private NodeConfig Node(JsonElementNode value, string name, string what, bool weighted)
    {
        if (value.Kind == JsonKind.String) return new NodeConfig(name, Use(value), []);
        var reader = new JsonObjectReader(value, $"{what}", errors);
        var node = new NodeConfig(name, Use(reader, required: true), Wires(reader))
        {
            Weight = weighted ? reader.Number("weight", 1, 0, 1e6) : 1,
            From = weighted ? null : reader.Text("from"),
            Checkpoint = !weighted && reader.Flag("checkpoint", false),
        };
        reader.End();
        return node;
    }

    private EvaluationConfig Evaluation(JsonElementNode node)
    {
        if (node.Kind == JsonKind.String) return new EvaluationConfig { Metric = new NodeConfig(node.Text, Use(node), []) };
        var reader = new JsonObjectReader(node, "an evaluation", errors);
        var use = Use(reader, required: true);
        var defaults = new EvaluationConfig { Metric = new NodeConfig(use.Id, use, []) };
        var evaluation = new EvaluationConfig
        {
            Metric = new NodeConfig(reader.Text("name") ?? use.Id, use, Wires(reader)),
            Splits = reader.Texts("splits", defaults.Splits),
            Tasks = reader.Texts("tasks", defaults.Tasks),
            Language = reader.Text("language"),
            Require = Modalities(reader),
            Limit = (int)reader.Integer("limit", 0, 0, int.MaxValue),
            Label = reader.Text("label"),
        };
        reader.End();
        return evaluation;
    }

    private IReadOnlyList<string> Modalities(JsonObjectReader reader)
    {
        string[] known = ["image", "audio", "video"];
        var modalities = reader.Texts("require", []);
        foreach (var name in modalities.Except(known))
            errors.Add(new ConfigError(reader.Value("require")!.Location, $"'{name}' is no modality that can be required{NearestName.Suggestion(name, known)}"));
        return modalities;
    }

    private PluginUse Use(JsonElementNode node)
    {
        if (node.Kind == JsonKind.String) return new PluginUse(node.Text, null, node.Location);
        var reader = new JsonObjectReader(node, "a plugin's use", errors);
        var use = Use(reader, required: true);
        reader.End();
        return use;
    }

    private PluginUse Use(JsonObjectReader reader, bool required)
    {
        var node = required ? reader.Required("use") : reader.Value("use");
        var settings = reader.Value("settings");
        if (settings is not null && settings.Kind != JsonKind.Object)
            errors.Add(new ConfigError(settings.Location, $"'settings' is an object in {{ }}, not {JsonObjectReader.Describe(settings)}"));
        return new PluginUse(reader.Text("use") ?? "", settings?.Kind == JsonKind.Object ? settings : null, node?.Location ?? reader.Location);
    }

    private List<Wire> Wires(JsonObjectReader reader)
    {
        var wires = new List<Wire>();
        foreach (var member in reader.Members("in"))
        {
            if (member.Value.Kind == JsonKind.String && PortName().IsMatch(member.Value.Text))
                wires.Add(new Wire(member.Name, member.Value.Text, member.Value.Location));
            else
                errors.Add(new ConfigError(member.Value.Location, $"an input is wired to 'node.output', such as \"image.tokens\" or \"sample.image\", not to {JsonObjectReader.Describe(member.Value)}"));
        }
        return wires;
    }

    // Stages become folders and report keys.
    private void RefuseTwins(IReadOnlyList<StageConfig> stages)
    {
        foreach (var stage in stages.Where(stage => !FileName().IsMatch(stage.Name)))
            errors.Add(new ConfigError(null, $"$.stages: '{stage.Name}' names folders: letters, digits, '-', '_' and '.' only"));
        foreach (var twins in stages.GroupBy(stage => stage.Name).Where(group => group.Count() > 1))
            errors.Add(new ConfigError(null, $"$.stages: {twins.Count()} stages are named '{twins.Key}'; give each its own name"));
    }

    private void RefuseLaterStarts(IReadOnlyList<StageConfig> stages)
    {
        for (var i = 0; i < stages.Count; i++)
            if (stages[i].From is { } from && stages.Skip(i).Any(stage => stage.Name == from.Name))
                errors.Add(new ConfigError(from.Location, $"stage '{stages[i].Name}' cannot begin with what '{from.Name}' leaves, which {(from.Name == stages[i].Name ? "it is itself" : "comes after it")}{(i == 0 ? "" : $"; before it are {string.Join(", ", stages.Take(i).Select(stage => stage.Name))}")}"));
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_-]*$")]
    private static partial Regex NodeName();

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_-]*\\.[A-Za-z][A-Za-z0-9_-]*$")]
    private static partial Regex PortName();

    [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    private static partial Regex FileName();
}
