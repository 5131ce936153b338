using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published;

/// <summary>Makes a run folder of a published model: its project, its tokenizer, its weights.</summary>
/// <param name="catalog">The installed plugins.</param>
/// <param name="artifacts">The folder of all runs.</param>
/// <param name="loggers">For messages of plugins.</param>
/// <param name="cancellation">Ends the import before the folder is made.</param>
public sealed partial class ModelImport(PluginCatalog catalog, string artifacts, ILoggerFactory loggers, CancellationToken cancellation)
{
    /// <summary>The tokenizer's setting that holds the model's chat template.</summary>
    internal const string ChatTemplate = "chatTemplate";

    private const string Tokenizer = "tokenizer.hugging-face";
    private const string Embedding = "embedding.weight";
    private const int MostIds = 2_000_000;
    private const long LongestText = 8192;

    /// <summary>Imports a folder.</summary>
    /// <param name="path">The published model's folder.</param>
    /// <param name="name">How it will be found; null: as the folder is called.</param>
    /// <returns>What became of every tensor. Where some are missing, no run folder is made.</returns>
    /// <exception cref="UserErrorException">The folder cannot be read, or a tensor has another shape than the model.</exception>
    public ImportReport Import(string path, string? name)
    {
        using var published = PublishedFolder.Open(path);
        var architecture = PublishedArchitecture.Of(published);
        name = Alias(name ?? Path.GetFileName(published.Path.TrimEnd(Path.DirectorySeparatorChar)));
        var (project, tokenizer) = Project(published, architecture, name);
        using var graph = ExecutableGraph.Build(GraphPlanner.Plan(project, catalog.Installed), catalog, new GraphSettings(CPU, project.Seed, loggers, cancellation));
        var report = Copy(published, architecture, graph) with { Name = name };
        if (report.Missing.Any()) return report;
        cancellation.ThrowIfCancellationRequested();
        var run = RunFolder.Create(artifacts, name, DateTimeOffset.Now, project.Source.ToJsonString());
        if (tokenizer is not null) AtomicFile.WriteText(run.Tokenizer, tokenizer);
        SafeTensors.Write(run.Model, graph.Weights.ToDictionary(weight => weight.Name, weight => weight.Value), new Dictionary<string, string> { ["format"] = "pt" });
        AtomicFile.WriteText(Path.Combine(artifacts, name), run.Name);
        run.WriteRecord(new JsonObject { ["name"] = run.Name, ["status"] = "imported", ["from"] = published.Path, ["import"] = report.ToJson() });
        return report with { Folder = run.Path };
    }

    private string Alias(string name)
    {
        name = OtherThanName().Replace(name, "-").Trim('-', '.');
        if (name.Length == 0) throw new UserErrorException("The model needs a name: give one with --name.");
        return Directory.Exists(Path.Combine(artifacts, name)) ? throw new UserErrorException($"There is a run folder '{name}' already; give the model another name with --name.") : name;
    }

    private (ProjectConfig Project, string? Tokenizer) Project(PublishedFolder published, PublishedArchitecture architecture, string name)
    {
        var data = new JsonObject();
        if (architecture.ImageSize > 0) data["image"] = new JsonObject { ["size"] = architecture.ImageSize };
        string? tokenizer = null;
        if (architecture.Vocabulary > 0)
        {
            tokenizer = published.Text("tokenizer.json") ?? throw new UserErrorException($"{published.Path}: there is no tokenizer.json; other forms of vocabularies (vocab.json, tokenizer.model) are not read: save the tokenizer as a fast one.");
            data["text"] = new JsonObject { ["length"] = Math.Min(architecture.Context, LongestText) };
            data["tokenizer"] = new JsonObject { ["use"] = Tokenizer, ["settings"] = TokenizerSettings(published) };
        }
        var node = new JsonObject { ["use"] = architecture.Plugin, ["in"] = new JsonObject { [architecture.Input.Port] = architecture.Input.Source }, ["settings"] = architecture.Settings.DeepClone() };
        var root = new JsonObject { ["name"] = name, ["data"] = data, ["graph"] = new JsonObject { [architecture.Node] = node } };
        if (tokenizer is not null)
        {
            var settings = data["tokenizer"]!["settings"]!;
            settings["vocabulary"] = MostIds;
            settings["vocabulary"] = Math.Max(architecture.Vocabulary, Ids(Parsed(root, name), tokenizer));
        }
        return (Parsed(root, name), tokenizer);
    }

    private ProjectConfig Parsed(JsonObject root, string name) => ProjectFile.Parse(Encoding.UTF8.GetBytes(root.ToJsonString(RunFolder.Indented)), Path.Combine(Path.GetFullPath(artifacts), name, "project.json"), []);

    /// <summary>The special tokens that the model's authors name.</summary>
    private static JsonObject TokenizerSettings(PublishedFolder published)
    {
        var settings = new JsonObject();
        if (published.Text("chat_template.jinja") is { } template) settings[ChatTemplate] = template;
        if (published.Json("tokenizer_config.json") is not { ValueKind: JsonValueKind.Object } json) return settings;
        if (settings[ChatTemplate] is null && json.TryGetProperty("chat_template", out var chat) && Default(chat) is { } written) settings[ChatTemplate] = written;
        foreach (var (key, setting) in new[] { ("bos_token", "begin"), ("eos_token", "end"), ("pad_token", "pad") })
        {
            if (!json.TryGetProperty(key, out var token)) continue;
            if (token.ValueKind == JsonValueKind.Object && !token.TryGetProperty("content", out token)) continue;
            if (token.ValueKind == JsonValueKind.String) settings[setting] = token.GetString();
        }
        // Models without a token to pad with name the one that ends answers; padding must not be learnt as an end.
        if ((string?)settings["pad"] == (string?)settings["end"]) settings.Remove("pad");
        return settings;
    }

    // One template, or several by name: those for tools or retrieval stand beside the one for everything.
    private static string? Default(JsonElement chat)
    {
        if (chat.ValueKind == JsonValueKind.String) return chat.GetString();
        if (chat.ValueKind != JsonValueKind.Array) return null;
        foreach (var item in chat.EnumerateArray())
            if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String && name.GetString() == "default"
                && item.TryGetProperty("template", out var template) && template.ValueKind == JsonValueKind.String) return template.GetString();
        return null;
    }

    private long Ids(ProjectConfig project, string json)
    {
        var planned = GraphPlanner.Plan(project, catalog.Installed).Tokenizer!;
        using var lease = catalog.Lease(planned.Description, planned.Settings);
        return lease.As<ITokenizerPlugin>().Load(json, new BuildContext
        {
            Device = CPU,
            Logger = loggers.CreateLogger(Tokenizer),
            Cancellation = cancellation,
            ContentFolder = planned.Description.Folder,
        }).Vocabulary;
    }

    private static ImportReport Copy(PublishedFolder published, PublishedArchitecture architecture, ExecutableGraph graph)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var tensors = new List<ImportedTensor>();
        foreach (var (name, target) in Describe(graph).Tensors)
        {
            var source = architecture.TensorName(name);
            var missing = !published.Has(source);
            tensors.Add(new ImportedTensor(name, source, target.shape, missing, missing ? 0 : Fill(published, source, name, target)));
        }
        var taken = tensors.Select(tensor => tensor.Published).ToHashSet();
        var left = published.Names.Where(name => !taken.Contains(name)).Select(name => (name, (string?)architecture.Ignored.FirstOrDefault(item => item.Name.IsMatch(name)).Reason));
        return new ImportReport(published.Config.GetProperty("model_type").GetString()!, architecture.Plugin, tensors, [.. left]);
    }

    private static TowerDescription Describe(ExecutableGraph graph) => graph.Nodes[0].Node is IDescribedTower tower
        ? tower.Describe()
        : throw new UserErrorException($"{graph.Nodes[0].Plan.Description.Id} {graph.Nodes[0].Plan.Description.Version} does not describe its tower, so nothing can be imported into it.");

    /// <returns>Rows that the published tensor lacks.</returns>
    private static long Fill(PublishedFolder published, string source, string name, Tensor target)
    {
        var shape = published.Shape(source);
        using var loaded = published.Load(source);
        if (shape.SequenceEqual(target.shape) || (loaded.numel() == target.numel() && name.StartsWith("pooled.probe", StringComparison.Ordinal)))
        {
            target.copy_(loaded.view(target.shape));
            return 0;
        }
        // A vocabulary that grew by special tokens: a new token begins as the mean of all others, which disturbs the model least (Hewitt 2021).
        var added = target.size(0) - shape[0];
        if (name is not (Embedding or "head.weight") || added <= 0 || shape.Count != 2 || shape[1] != target.size(1))
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture, $"{published.Path}: the tensor '{source}' is [{string.Join(",", shape)}], and the model that config.json describes has [{string.Join(",", target.shape)}]."));
        target.narrow(0, 0, shape[0]).copy_(loaded);
        target.narrow(0, shape[0], added).copy_(loaded.mean([0], keepdim: true));
        return added;
    }

    [GeneratedRegex("[^A-Za-z0-9_.-]+")]
    private static partial Regex OtherThanName();
}
