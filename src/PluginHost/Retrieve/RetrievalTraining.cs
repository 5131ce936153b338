using System.Globalization;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Retrieval;
using PluginHost.Retrieval.Documents;
using PluginHost.Retrieval.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Retrieve;

/// <summary>Mines hard negatives, and trains a retrieval's models with them: the towers, and behind them the reranker. Each is trained in a process of its own.</summary>
internal sealed class RetrievalTraining(RetrievalConfig config, HostConfig host, string? hostFile, ILoggerFactory loggers, TextWriter? lines, Action<int, string> progress, CancellationToken cancellation)
{
    private readonly RetrievalFolder folder = new(host.Artifacts, config.Name);

    /// <summary>Mines negatives by words, and trains the towers with them.</summary>
    public void TrainTowers(PluginCatalog catalog, ProjectConfig project)
    {
        if (config.Negatives.Queries > 0)
        {
            using var plugins = new RetrievalPlugins(catalog, loggers, cancellation);
            var source = plugins.Source(project);
            var words = plugins.Index(config.Index, folder.Words, 0);
            new Ingestion(words, null, new Chunker(config.ChunkCharacters)).Run(Documents(source, project), done => progress(done, "documents indexed by their words"), cancellation);
            RatedQuery[] queries = [.. Queries(source, Splits.Train, config.Negatives.Queries), .. Queries(source, Splits.Validation, config.Negatives.Queries)];
            Mine(folder.Negatives, queries, [new MiningPart(queries, plugins.Retriever(OpenRetrieval.Lexical, words, null))], config.Negatives);
        }
        AtomicFile.WriteText(folder.Encoder, Train(config.Encoder, MinedByWords, "towers"));
    }

    /// <summary>Mines negatives by the first stage, and trains the reranker with them.</summary>
    public void TrainReranker(PluginCatalog catalog, OpenRetrieval opened, ProjectConfig project)
    {
        if (config.Reranker is not { } reranking) return;
        var set = reranking.From.Select(setting => $"{setting}={RunFolder.Find(host.Artifacts, folder.TowersRun!).Path}").ToList();
        if (reranking.Negatives.Queries > 0)
        {
            var (source, mining) = (opened.Plugins.Source(project), reranking.Negatives);
            var folds = Enumerable.Range(0, mining.Folds).Select(fold => Queries(FoldedSource.Only(source, mining.Folds, fold), Splits.Train, (mining.Queries - 1) / mining.Folds + 1)).ToList();
            // Of the validation split too: how well what the search brings is told apart is to be seen where nothing was learnt.
            var validation = Queries(source, Splits.Validation, mining.Queries);
            MiningPart Own(RatedQuery[] queries) => new(queries, opened.Retriever(config.Retriever));
            var parts = mining.Folds == 1 ? [Own(folds[0])] : folds.SelectMany((queries, fold) => Fold(catalog, project, fold, queries));
            Mine(folder.HardNegatives, [.. folds.SelectMany(queries => queries), .. validation], parts.Append(Own(validation)), mining);
            set.Add($"{reranking.Negatives.Setting}={folder.HardNegatives}");
        }
        AtomicFile.WriteText(folder.Reranker, $"{Train(reranking.Encoder, set, "reranker")}\n{opened.Identity}\n");
    }

    /// <summary>The documents of the retrieval.</summary>
    /// <param name="source">Has them, where the file names no others.</param>
    /// <param name="project">Says in which language.</param>
    /// <param name="pictures">Whether pictures are among them.</param>
    public IEnumerable<ListedDocument> Documents(ISource source, ProjectConfig project, bool pictures = false) => config.Documents.Count > 0
        ? DocumentList.OfFiles(config.Documents, config.ChunkCharacters, pictures)
        : DocumentList.OfSamples(source, project.Data.Languages[0], config.ChunkCharacters);

    private IReadOnlyList<string> MinedByWords => config.Negatives.Queries > 0 ? [$"{config.Negatives.Setting}={folder.Negatives}"] : [];

    /// <summary>A fold's queries, and towers for them that have learnt without it; the towers' index is gone when the next part is asked for.</summary>
    private IEnumerable<MiningPart> Fold(PluginCatalog catalog, ProjectConfig project, int fold, RatedQuery[] queries)
    {
        var towers = Train(config.Encoder, [.. MinedByWords, $"data.folds={config.Reranker!.Negatives.Folds}", $"data.fold={fold}"], "towers of a fold");
        string path;
        using (var opened = new OpenRetrieval(config, host, towers, catalog, loggers, cancellation))
        {
            path = opened.IndexFolder;
            var documents = Documents(opened.Plugins.Source(project), project, opened.Encoder.ReadsPictures);
            new Ingestion(opened.Index, opened.Passages, new Chunker(config.ChunkCharacters)).Run(documents, done => progress(done, "documents indexed for a fold"), cancellation);
            yield return new MiningPart(queries, opened.Retriever(config.Retriever));
            opened.Index.Delete([.. opened.Index.Documents.Keys]); // an index may keep them elsewhere than in its folder
        }
        Directory.Delete(path, recursive: true);
    }

    private RatedQuery[] Queries(ISource source, string split, int limit) => [.. RatedQuery.Of(source, split, config.Evaluate.Tasks, limit).Take(limit)];

    private void Mine(string file, IReadOnlyList<RatedQuery> queries, IEnumerable<MiningPart> parts, MiningConfig mining) =>
        NegativeMining.Write(file, queries, parts, mining.Each, done => progress(done, "queries mined"), cancellation);

    /// <summary>Trains a project; gives the name of its run.</summary>
    private string Train(string project, IEnumerable<string> set, string what)
    {
        string[] arguments = ["run", project, .. set.SelectMany(setting => new[] { "--set", setting }), .. hostFile is null ? (string[])[] : ["--host", hostFile]];
        var (code, error) = OwnProcess.Run(arguments, lines, cancellation);
        if (code != 0) throw new UserErrorException(string.Create(CultureInfo.InvariantCulture, $"the {what} of {project} could not be trained: {error}"));
        Directory.CreateDirectory(folder.Path);
        return RunFolder.Find(host.Artifacts, "latest").Name;
    }
}
