using PluginHost.Sdk;

namespace PluginHost.Serving.Documents;

/// <summary>A passage that a search of a store has found.</summary>
/// <param name="File">The file that it is of.</param>
/// <param name="Chunk">The passage.</param>
internal sealed record FoundPassage(AttachedFile File, FoundChunk Chunk);

/// <summary>Searches vector stores.</summary>
internal sealed class PassageSearch(DocumentHost documents)
{
    private const int Wider = 4;

    /// <summary>The best passages of a store's files that pass a filter: as many as are wanted, if there are so many.</summary>
    /// <param name="store">The store.</param>
    /// <param name="query">The query.</param>
    /// <param name="count">Passages at most, from 1 on.</param>
    /// <param name="filter">What the files' attributes have to pass; null: anything does.</param>
    /// <param name="rerank">Whether the second stage orders them, if there is one.</param>
    public IReadOnlyList<FoundPassage> Find(string store, string query, int count, AttributeFilter? filter, bool rerank)
    {
        var second = rerank ? documents.Engine.Reranker : null;
        var depth = second is null ? count : Math.Max(documents.Engine.Candidates, count);
        return Find(store, count, filter, (opened, passing, all) =>
        {
            var found = Fitting(asked => opened.Retriever.Retrieve(query, asked), depth, passing, all);
            return second?.Rerank(query, found) ?? found;
        });
    }

    /// <summary>The passages that stand nearest to a picture. A reranker reads words, so it has no part in this.</summary>
    /// <param name="store">The store.</param>
    /// <param name="vector">The picture's vector.</param>
    /// <param name="count">Passages at most, from 1 on.</param>
    /// <param name="filter">As above.</param>
    public IReadOnlyList<FoundPassage> FindNear(string store, ReadOnlyMemory<float> vector, int count, AttributeFilter? filter) =>
        Find(store, count, filter, (opened, passing, all) => Fitting(asked => opened.Index.SearchVector(vector, asked), count, passing, all));

    private IReadOnlyList<FoundPassage> Find(string store, int count, AttributeFilter? filter, Func<OpenedIndex, Dictionary<string, AttachedFile>, bool, IReadOnlyList<FoundChunk>> search)
    {
        var files = documents.Store.Searchable(store);
        var passing = files.Where(file => filter is null || filter.Passes(FileAttributes.Parse(file.Attributes))).ToDictionary(file => file.File);
        if (passing.Count == 0) return [];
        try
        {
            var found = documents.Indexes!.Use(store, opened => search(opened, passing, passing.Count == files.Count));
            return [.. found.Take(count).Select(chunk => new FoundPassage(passing[chunk.Document], chunk))];
        }
        catch (ObjectDisposedException)
        {
            return []; // the store has been deleted meanwhile
        }
    }

    // The index knows no filters but equality of texts: it is asked for more until enough of it passes, or there is no more.
    private static IReadOnlyList<FoundChunk> Fitting(Func<int, IReadOnlyList<FoundChunk>> search, int count, Dictionary<string, AttachedFile> passing, bool all)
    {
        for (var asked = all ? count : count * Wider; ; asked = (int)Math.Min((long)asked * Wider, int.MaxValue))
        {
            var found = search(asked);
            var fitting = found.Where(chunk => passing.ContainsKey(chunk.Document)).Take(count).ToList();
            if (fitting.Count == count || found.Count < asked) return fitting;
        }
    }
}
