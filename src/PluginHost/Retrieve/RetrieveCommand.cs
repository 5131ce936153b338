using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Retrieval;
using PluginHost.Retrieval.Documents;
using PluginHost.Retrieval.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Retrieve;

/// <summary>Builds, searches and rates a retrieval: <c>pluginhost retrieve</c>.</summary>
internal sealed class RetrieveCommand(string path, HostConfig host, string? hostFile, ILoggerFactory loggers, bool json, string? report, TextWriter output, CancellationToken cancellation)
{
    private const int ProgressEvery = 10_000;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new(Plain) { WriteIndented = true };

    private readonly RetrievalConfig config = RetrievalFile.Read(path);

    private RetrievalFolder Folder => new(host.Artifacts, config.Name);

    // What is said on the way must not come between the lines of JSON.
    private TextWriter Talk => json ? Console.Error : output;

    private RetrievalTraining Training => new(config, host, hostFile, loggers, json ? Console.Error : null, Progress, cancellation);

    public int Build(bool again)
    {
        using var catalog = PluginCatalog.Discover(host, loggers);
        var project = ProjectFile.Read(config.Encoder, []);
        if (again || Folder.TowersRun is null) Training.TrainTowers(catalog, project);
        using (var opened = Open(catalog)) Ingest(opened, project);
        // The towers' graph has served its turn: the reranker's process needs the memory.
        if (config.Reranker is null) return ExitCode.Success;
        using var trained = Open(catalog);
        if (again || Folder.RerankerRun(trained.Identity) is null) Training.TrainReranker(catalog, trained, project);
        return ExitCode.Success;
    }

    public int Search(string query, int count, IReadOnlyDictionary<string, string> filter)
    {
        using var catalog = PluginCatalog.Discover(host, loggers);
        using var opened = Open(catalog);
        var retriever = opened.Retriever(config.Retriever);
        return Print(Reranker(opened) is { } reranker
            ? new RerankedRetriever(retriever, reranker, Math.Max(count, config.Reranker!.Candidates)).RetrieveRanked(query, count, filter)
            : [.. retriever.Retrieve(query, count, filter).Select((chunk, rank) => (chunk, rank + 1))]);
    }

    /// <summary>What stands near a picture: pictures, and texts. A reranker reads words, so it has no part in this.</summary>
    public int SearchByPicture(string picture, int count, IReadOnlyDictionary<string, string> filter)
    {
        if (!File.Exists(picture)) throw new UserErrorException($"--image {picture}: there is no such file");
        using var catalog = PluginCatalog.Discover(host, loggers);
        using var opened = Open(catalog);
        try
        {
            var vector = opened.Encoder.Queries([DocumentReader.Picture(picture, File.ReadAllBytes(picture))])[0];
            return Print([.. opened.Index.SearchVector(vector, count, filter).Select((chunk, rank) => (chunk, rank + 1))]);
        }
        catch (BadSampleException error)
        {
            throw new UserErrorException($"--image {picture}: {error.Message}");
        }
    }

    public int Evaluate()
    {
        using var catalog = PluginCatalog.Discover(host, loggers);
        using var opened = Open(catalog);
        var project = ProjectFile.Read(config.Encoder, []);
        var source = opened.Plugins.Source(project);
        if (config.Documents.Count > 0)
            throw new UserErrorException($"{path}: nothing is evaluated: 'documents' are one's own, and no query says which of them answers it; without 'documents' the samples of {config.Encoder} are searched, whose turns do");
        var queries = RatedQuery.Of(source, config.Evaluate.Split, config.Evaluate.Tasks, config.Evaluate.Limit);
        if (queries.Count == 0) throw new UserErrorException($"{path}: the split '{config.Evaluate.Split}' has no query of these tasks; name others in 'evaluate'");
        var chunker = new Chunker(config.ChunkCharacters);
        var texts = Training.Documents(source, project).Select(document => (document.Id, Chunks: chunker.Cut(document.Read(cancellation)).Select(chunk => chunk.Text).ToArray())).ToList();
        var figures = new RetrievalReport(opened, config, queries, texts, Talk, cancellation).Rate(Reranker(opened));
        figures["chunksPerSecond"] = Measured();
        Report(figures);
        if (json) output.WriteLine(figures.ToJsonString());
        return ExitCode.Success;
    }

    private void Ingest(OpenRetrieval opened, ProjectConfig project)
    {
        var index = opened.Index;
        var result = new Ingestion(index, opened.Passages, new Chunker(config.ChunkCharacters))
            .Run(Training.Documents(opened.Plugins.Source(project), project, opened.Encoder.ReadsPictures), done => Progress(done, "documents"), cancellation);
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
        Report(figures);
        if (json) output.WriteLine(figures.ToJsonString());
        else output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"index: {index.Documents.Count:#,0} documents in {index.Chunks:#,0} chunks ({result.Put:#,0} put, {result.Kept:#,0} kept, {result.Deleted:#,0} deleted; {result.ChunksPerSecond:#,0} chunks/s without the encoder)"));
    }

    private int Print(IReadOnlyList<(FoundChunk Chunk, int FirstRank)> found)
    {
        if (found.Count == 0 && !json) output.WriteLine("nothing was found");
        var lines = found.Select((item, i) => Line(item.Chunk, i + 1, item.FirstRank)).ToArray();
        for (var i = 0; i < found.Count; i++)
            if (json) output.WriteLine(lines[i].ToJsonString(Plain));
            else Print(found[i].Chunk, i + 1, found[i].FirstRank);
        Report(new JsonArray(lines));
        return ExitCode.Success;
    }

    private JsonObject Line(FoundChunk chunk, int rank, int firstRank)
    {
        var line = new JsonObject { ["document"] = chunk.Document, ["place"] = chunk.Place, ["score"] = chunk.Score, ["text"] = chunk.Text };
        if (config.Reranker is not null) (line["rank"], line["firstRank"]) = (rank, firstRank);
        return line;
    }

    private void Print(FoundChunk chunk, int rank, int firstRank)
    {
        var place = chunk.Place.Length > 0 ? $", {chunk.Place}" : "";
        var before = config.Reranker is not null ? $", before [{firstRank}]" : "";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{rank}] {chunk.Document}{place}  ({chunk.Score:0.000}{before})\n    {chunk.Text.ReplaceLineEndings("\n    ")}"));
    }

    private void Report(JsonNode figures)
    {
        if (report is not null) AtomicFile.WriteText(Path.GetFullPath(report), figures.ToJsonString(Indented));
    }

    private IReranker? Reranker(OpenRetrieval opened) => config.Reranker is null ? null : opened.Reranker()
        ?? throw new UserErrorException($"{path}: the reranker has not been trained behind these towers; train it with 'pluginhost retrieve build {path}'");

    private JsonNode? Measured() => File.Exists(Folder.Build) ? JsonNode.Parse(File.ReadAllText(Folder.Build))!["chunksPerSecond"]?.DeepClone() : null;

    private void Progress(int done, string what)
    {
        if (done % ProgressEvery == 0) Talk.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done:#,0} {what}"));
    }

    private OpenRetrieval Open(PluginCatalog catalog) => new(
        config, host, Folder.TowersRun ?? throw new UserErrorException($"{path} has not been built; build it with 'pluginhost retrieve build {path}'"), catalog, loggers, cancellation);
}
