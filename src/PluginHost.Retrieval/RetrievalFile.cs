using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Sdk;

namespace PluginHost.Retrieval;

/// <summary>What a retrieval is made of.</summary>
/// <param name="Name">Names its folder below the artifacts.</param>
/// <param name="Encoder">The project file whose towers encode queries and passages; absolute.</param>
/// <param name="Index">The index plugin.</param>
/// <param name="Retriever">The retriever plugin of <c>search</c>.</param>
public sealed record RetrievalConfig(string Name, string Encoder, PluginUse Index, PluginUse Retriever)
{
    /// <summary>Files and folders of documents, absolute; empty: the texts of the samples of the encoder's project are the documents.</summary>
    public IReadOnlyList<string> Documents { get; init; } = [];

    /// <summary>Characters of a chunk at most. Range 16 to 100,000.</summary>
    public int ChunkCharacters { get; init; } = 1000;

    /// <summary>The hard negatives that are mined before the towers are trained.</summary>
    public MiningConfig Negatives { get; init; } = new();

    /// <summary>The second stage; null: the first stage's order stays.</summary>
    public RerankingConfig? Reranker { get; init; }

    /// <summary>What is evaluated.</summary>
    public RatingConfig Evaluate { get; init; } = new();
}

/// <summary>The second stage of a retrieval.</summary>
/// <param name="Use">The reranker plugin.</param>
/// <param name="Encoder">The project file of the cross-encoder; absolute.</param>
public sealed record RerankingConfig(PluginUse Use, string Encoder)
{
    /// <summary>Chunks of the first stage that are put in order. Range 1 to 1000.</summary>
    public int Candidates { get; init; } = 50;

    /// <summary>Where the project takes the run of the trained towers, whose vectors and tokenizer it reads; empty: nowhere.</summary>
    public IReadOnlyList<string> From { get; init; } = ["graph.tower.from", "data.tokenizer.from"];

    /// <summary>The hard negatives that are mined for it by the first stage.</summary>
    public MiningConfig Negatives { get; init; } = new();
}

/// <summary>Hard negatives: passages that a search takes for an answer.</summary>
public sealed record MiningConfig
{
    /// <summary>Queries for which they are mined at most, of the training and of the validation split; 0: none are mined. Range 0 to 10,000,000.</summary>
    public int Queries { get; init; } = 20_000;

    /// <summary>Passages that the search is asked for; what answers the query among them is no negative. Range 1 to 1000.</summary>
    public int Each { get; init; } = 10;

    /// <summary>
    /// Folds of the training samples: for each, towers are trained without it, and mine its queries. The trained towers themselves would bring better passages for what they have learnt from than
    /// they ever bring for what is new; with 1 they mine. Range 1 to 100.
    /// </summary>
    public int Folds { get; init; } = 1;

    /// <summary>Where the project takes the file with them.</summary>
    public string Setting { get; init; } = "data.settings.negatives";
}

/// <summary>Queries that are evaluated.</summary>
public sealed record RatingConfig
{
    /// <summary>Split of the samples whose turns are the queries.</summary>
    public string Split { get; init; } = "test";

    /// <summary>Tasks of these turns; empty: all.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = [];

    /// <summary>Queries of each task at most. Range 1 to 1,000,000.</summary>
    public int Limit { get; init; } = 1000;
}

/// <summary>Reads the file of a retrieval.</summary>
public static class RetrievalFile
{
    /// <exception cref="UserErrorException">There is no such file.</exception>
    /// <exception cref="ConfigException">All that is wrong with it.</exception>
    public static RetrievalConfig Read(string path)
    {
        var file = Path.GetFullPath(path);
        if (!File.Exists(file)) throw new UserErrorException($"{path}: there is no such retrieval file");
        var folder = Path.GetDirectoryName(file)!;
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(JsonTreeReader.Read(File.ReadAllBytes(file), Path.GetFileName(file)), "a retrieval file", errors);
        reader.Text("$schema");
        var encoder = reader.RequiredText("encoder") ?? "";
        var config = new RetrievalConfig(reader.RequiredText("name") ?? "", Path.GetFullPath(encoder, folder), Use(reader, "index", "index.sqlite", errors), Use(reader, "retriever", "retriever.dense", errors))
        {
            Documents = [.. reader.Texts("documents", []).Select(item => Path.GetFullPath(item, folder))],
            ChunkCharacters = (int)reader.Integer("chunk", 1000, 16, 100_000),
            Negatives = reader.Value("negatives") is { } negatives ? Mining(new JsonObjectReader(negatives, "'negatives'", errors), trained: false) : new(),
            Reranker = reader.Value("reranker") is { } reranker ? Reranking(new JsonObjectReader(reranker, "'reranker'", errors), folder, errors) : null,
            Evaluate = reader.Value("evaluate") is { } rated ? Rating(new JsonObjectReader(rated, "'evaluate'", errors)) : new(),
        };
        if (config.Name.Length > 0 && config.Name.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"))
            errors.Add(new ConfigError(reader.Location, $"'{config.Name}' becomes a folder: only letters, digits, '-' and '_' are allowed"));
        if (encoder.Length > 0 && !File.Exists(config.Encoder)) errors.Add(new ConfigError(reader.Location, $"'encoder' names {config.Encoder}, which is no file"));
        reader.End();
        return errors.Count == 0 ? config : throw new ConfigException(errors);
    }

    private static MiningConfig Mining(JsonObjectReader reader, bool trained)
    {
        var defaults = new MiningConfig();
        var mining = new MiningConfig
        {
            Queries = (int)reader.Integer("queries", defaults.Queries, 0, 10_000_000),
            Each = (int)reader.Integer("each", defaults.Each, 1, 1000),
            // What mines before there are towers has learnt nothing.
            Folds = trained ? (int)reader.Integer("folds", defaults.Folds, 1, 100) : 1,
            Setting = reader.Text("setting") ?? defaults.Setting,
        };
        reader.End();
        return mining;
    }

    private static RerankingConfig Reranking(JsonObjectReader reader, string folder, List<ConfigError> errors)
    {
        var encoder = reader.RequiredText("encoder") ?? "";
        var defaults = new RerankingConfig(new PluginUse(reader.Text("use") ?? "reranker.cross-encoder", reader.Value("settings"), reader.Location), Path.GetFullPath(encoder, folder));
        if (encoder.Length > 0 && !File.Exists(defaults.Encoder)) errors.Add(new ConfigError(reader.Location, $"'encoder' names {defaults.Encoder}, which is no file"));
        var reranking = defaults with
        {
            Candidates = (int)reader.Integer("candidates", defaults.Candidates, 1, 1000),
            From = reader.Texts("from", defaults.From),
            Negatives = reader.Value("negatives") is { } negatives ? Mining(new JsonObjectReader(negatives, "'negatives'", errors), trained: true) : new(),
        };
        reader.End();
        return reranking;
    }

    private static RatingConfig Rating(JsonObjectReader reader)
    {
        var defaults = new RatingConfig();
        var rating = new RatingConfig
        {
            Split = reader.Text("split") ?? defaults.Split,
            Tasks = reader.Texts("tasks", defaults.Tasks),
            Limit = (int)reader.Integer("limit", defaults.Limit, 1, 1_000_000),
        };
        reader.End();
        return rating;
    }

    private static PluginUse Use(JsonObjectReader reader, string name, string missing, List<ConfigError> errors)
    {
        if (reader.Value(name) is not { } node) return new PluginUse(missing, null, reader.Location);
        if (node.Kind == JsonKind.String) return new PluginUse(node.Text, null, node.Location);
        var inner = new JsonObjectReader(node, "a plugin's use", errors);
        var use = new PluginUse(inner.RequiredText("use") ?? "", inner.Value("settings"), node.Location);
        inner.End();
        return use;
    }
}
