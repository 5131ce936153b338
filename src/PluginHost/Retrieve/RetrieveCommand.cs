using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts.Models;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Retrieval;
using PluginHost.Retrieval.Documents;
using PluginHost.Retrieval.Evaluation;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Retrieve;

/// <summary>Builds, searches and rates a retrieval: <c>pluginhost retrieve</c>.</summary>
internal sealed class RetrieveCommand(string path, HostConfig host, string? hostFile, ILoggerFactory loggers, bool json, TextWriter output, CancellationToken cancellation)
{
    private const int ProgressEvery = 10_000;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly PluginUse Lexical = new("retriever.lexical", null, new("", 0, 0, "$"));
    private static readonly PluginUse Dense = new("retriever.dense", null, new("", 0, 0, "$"));
    private static readonly PluginUse Hybrid = new("retriever.hybrid", null, new("", 0, 0, "$"));

    private readonly RetrievalConfig config = RetrievalFile.Read(path);

    private RetrievalFolder Folder => new(host.Artifacts, config.Name);

    // What is said on the way must not come between the lines of JSON.
    private TextWriter Talk => json ? Console.Error : output;

    public int Build(bool again)
    {
        using var catalog = PluginCatalog.Discover(host, loggers);
        var project = ProjectFile.Read(config.Encoder, []);
        if (again || TrainedRun() is null) Train(catalog, project);
        NativeTorch.Load();
        using var models = new TrainedModels(catalog, host.Artifacts, loggers, cancellation);
        using var plugins = new RetrievalPlugins(catalog, loggers, cancellation);
        var encoder = models.Pairs(TrainedRun()!, CPU);
        // Vectors of other weights are of another space.
        var identity = models.Identity(TrainedRun()!);
        var index = plugins.Index(config.Index, Path.Combine(Folder.Index, identity[..16]), encoder.Width);
        var result = new Ingestion(index, encoder.Passages, new Chunker(config.ChunkCharacters)).Run(Documents(plugins.Source(project), project), Progress("documents"), cancellation);
        foreach (var (id, reason) in result.Refused) Talk.WriteLine($"left out: {id}: {reason}");
        var figures = new JsonObject
        {
            ["documents"] = index.Documents.Count,
            ["chunks"] = index.Chunks,
            ["put"] = result.Put,
            ["kept"] = result.Kept,
            ["deleted"] = result.Deleted,
            ["refused"] = result.Refused.Count,
            // An update of a few documents says nothing about the speed of a build.
            ["chunksPerSecond"] = result.Put > 0 ? Math.Round(result.ChunksPerSecond) : Measured(),
        };
        AtomicFile.WriteText(Folder.Build, figures.ToJsonString(Indented));
        if (json) output.WriteLine(figures.ToJsonString());
        else output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"index: {index.Documents.Count:#,0} documents in {index.Chunks:#,0} chunks ({result.Put:#,0} put, {result.Kept:#,0} kept, {result.Deleted:#,0} deleted; {result.ChunksPerSecond:#,0} chunks/s without the encoder)"));
        return ExitCode.Success;
    }

    public int Search(string query, int count, IReadOnlyDictionary<string, string> filter)
    {
        using var catalog = PluginCatalog.Discover(host, loggers);
        using var opened = Open(catalog);
        var found = opened.Plugins.Retriever(config.Retriever, opened.Index, opened.Encoder).Retrieve(query, count, filter);
        if (json)
            foreach (var chunk in found)
                output.WriteLine(new JsonObject { ["document"] = chunk.Document, ["place"] = chunk.Place, ["score"] = chunk.Score, ["text"] = chunk.Text }.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        else if (found.Count == 0) output.WriteLine("nothing was found");
        else
            for (var i = 0; i < found.Count; i++)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{i + 1}] {found[i].Document}{(found[i].Place.Length > 0 ? $", {found[i].Place}" : "")}  ({found[i].Score:0.000})\n    {found[i].Text.ReplaceLineEndings("\n    ")}"));
        return ExitCode.Success;
    }

    public int Evaluate(string? report)
    {
        using var catalog = PluginCatalog.Discover(host, loggers);
        using var opened = Open(catalog);
        var project = ProjectFile.Read(config.Encoder, []);
        var source = opened.Plugins.Source(project);
        var queries = RatedQuery.Of(source, config.Evaluate.Split, config.Evaluate.Tasks, config.Evaluate.Limit);
        if (queries.Count == 0) throw new UserErrorException($"{path}: the split '{config.Evaluate.Split}' has no query of these tasks; name others in 'evaluate'");
        var chunker = new Chunker(config.ChunkCharacters);
        var texts = Documents(source, project).Select(document => (document.Id, Chunks: chunker.Cut(document.Read(cancellation)).Select(chunk => chunk.Text).ToArray())).ToList();
        var rating = new RetrievalEvaluation(opened.Index, queries, texts.SelectMany(item => item.Chunks.Select(text => (item.Id, text))).ToLookup(item => item.text, item => item.Id));
        var figures = new JsonObject { ["queries"] = queries.Count, ["documents"] = opened.Index.Documents.Count, ["chunks"] = opened.Index.Chunks };
        foreach (var (name, use) in new[] { ("bm25", Lexical), ("dense", Dense), ("hybrid", Hybrid) })
        {
            var rated = rating.Rate(opened.Plugins.Retriever(use, opened.Index, opened.Encoder), cancellation);
            figures[$"{name}Ndcg10"] = Math.Round(rated[""], 4);
            figures[$"{name}ByTask"] = RetrievalEvaluation.Json(rated);
            Talk.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-6} nDCG@10 {rated[""]:0.000}  ({string.Join(", ", rated.Where(item => item.Key.Length > 0).OrderBy(item => item.Key).Select(item => $"{item.Key} {item.Value:0.000}"))})"));
        }
        var places = texts.SelectMany(item => item.Chunks.Select((text, number) => (item.Id, number, text))).ToList();
        var all = places.Zip(opened.Encoder.Passages([.. places.Select(item => item.text)])).ToDictionary(item => (item.First.Id, item.First.number), item => item.Second);
        var (milliseconds, recall) = rating.Exactness(opened.Encoder.Queries([.. queries.Select(query => query.Text).Take(200)]), all);
        (figures["searchP50Ms"], figures["indexRecall"], figures["chunksPerSecond"]) = (Math.Round(milliseconds, 2), recall, Measured());
        Talk.WriteLine(string.Create(CultureInfo.InvariantCulture, $"index: {milliseconds:0.0} ms a search (median), recall {recall:0.0000} against every vector"));
        if (report is not null) AtomicFile.WriteText(Path.GetFullPath(report), figures.ToJsonString(Indented));
        if (json) output.WriteLine(figures.ToJsonString());
        return ExitCode.Success;
    }

    /// <summary>Mines negatives by words, and trains the towers with them, in a process of their own.</summary>
    private void Train(PluginCatalog catalog, ProjectConfig project)
    {
        var set = new List<string>();
        if (config.Negatives.Queries > 0)
        {
            using var plugins = new RetrievalPlugins(catalog, loggers, cancellation);
            var source = plugins.Source(project);
            var words = plugins.Index(config.Index, Folder.Words, 0);
            new Ingestion(words, null, new Chunker(config.ChunkCharacters)).Run(Documents(source, project), Progress("documents indexed by their words"), cancellation);
            var queries = RatedQuery.Of(source, Splits.Train, config.Evaluate.Tasks, config.Negatives.Queries);
            NegativeMining.Write(Folder.Negatives, [.. queries.Take(config.Negatives.Queries)], plugins.Retriever(Lexical, words, null), config.Negatives.Each, Progress("queries mined"), cancellation);
            set.AddRange(["--set", $"{config.Negatives.Setting}={Folder.Negatives}"]);
        }
        var (code, error) = OwnProcess.Run(["run", config.Encoder, .. set, .. hostFile is null ? (string[])[] : ["--host", hostFile]], json ? Console.Error : null, cancellation);
        if (code != 0) throw new UserErrorException($"the towers of {config.Encoder} could not be trained: {error}");
        Directory.CreateDirectory(Folder.Path);
        AtomicFile.WriteText(Folder.Encoder, Artifacts.RunFolder.Find(host.Artifacts, "latest").Name);
    }

    private IEnumerable<ListedDocument> Documents(ISource source, ProjectConfig project) => config.Documents.Count > 0
        ? DocumentList.OfFiles(config.Documents, config.ChunkCharacters)
        : DocumentList.OfSamples(source, project.Data.Languages[0], config.ChunkCharacters);

    private string? TrainedRun() => File.Exists(Folder.Encoder) ? File.ReadAllText(Folder.Encoder).Trim() : null;

    private JsonNode? Measured() => File.Exists(Folder.Build) ? JsonNode.Parse(File.ReadAllText(Folder.Build))!["chunksPerSecond"]?.DeepClone() : null;

    private Action<int> Progress(string what) => done =>
    {
        if (done % ProgressEvery == 0) Talk.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done:#,0} {what}"));
    };

    private Opened Open(PluginCatalog catalog)
    {
        var run = TrainedRun() ?? throw new UserErrorException($"{path} has not been built; build it with 'pluginhost retrieve build {path}'");
        NativeTorch.Load();
        var opened = new Opened(new TrainedModels(catalog, host.Artifacts, loggers, cancellation), new RetrievalPlugins(catalog, loggers, cancellation));
        try
        {
            opened.Encoder = opened.Models.Pairs(run, CPU);
            opened.Index = opened.Plugins.Index(config.Index, Path.Combine(Folder.Index, opened.Models.Identity(run)[..16]), opened.Encoder.Width);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private sealed class Opened(TrainedModels models, RetrievalPlugins plugins) : IDisposable
    {
        public TrainedModels Models => models;

        public RetrievalPlugins Plugins => plugins;

        public GraphPairEncoder Encoder { get; set; } = null!;

        public IDocumentIndex Index { get; set; } = null!;

        public void Dispose()
        {
            plugins.Dispose();
            models.Dispose();
        }
    }
}
