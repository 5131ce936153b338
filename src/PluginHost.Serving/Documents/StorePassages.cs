using PluginHost.Sdk;

namespace PluginHost.Serving.Documents;

/// <summary>Documents for tools: a vector store's, or what the retrieval file has indexed by itself.</summary>
internal sealed class StorePassages(DocumentHost documents) : IPassageSearch
{
    public IReadOnlyList<SourcePassage> Search(string? store, string query, int count)
    {
        if (store is null) return [.. Corpus().Retrieve(query, count).Select(chunk => new SourcePassage(chunk.Document, chunk))];
        var known = documents.Store.FindStore(store) ?? documents.Store.FindStoreByName(store)
            ?? throw new UserErrorException($"there is no vector store '{store}'; POST /v1/vector_stores makes one");
        return [.. new PassageSearch(documents).Find(known.Id, query, count, null, rerank: true).Select(found => new SourcePassage(found.File.Name, found.Chunk))];
    }

    private IRetriever Corpus() => documents.Engine.Corpus
        ?? throw new UserErrorException("the server's retrieval file has indexed nothing: build it with 'pluginhost retrieve build' before the server starts, or name a vector store ('store')");
}
