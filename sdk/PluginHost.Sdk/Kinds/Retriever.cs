namespace PluginHost.Sdk;

/// <summary>Kind <c>retriever</c>: the first stage of a retrieval, which brings the chunks of an index that may answer a query.</summary>
public interface IRetrieverPlugin
{
    /// <summary>Opens the retriever over an index.</summary>
    /// <param name="context">The surroundings.</param>
    /// <exception cref="UserErrorException">It needs an encoder, and there is none.</exception>
    IRetriever Open(RetrieverContext context);
}

/// <summary>What a retriever is opened with.</summary>
/// <param name="Index">The index; it stays open as long as the retriever is used.</param>
/// <param name="Encoder">Turns queries into vectors of the index's space; null: there is no trained tower.</param>
public sealed record RetrieverContext(IDocumentIndex Index, IQueryEncoder? Encoder);

/// <summary>Turns queries into vectors of the space that passages are in. Safe for concurrent use.</summary>
public interface IQueryEncoder
{
    /// <summary>The vector of a query, of length 1.</summary>
    ReadOnlyMemory<float> Encode(string query);
}

/// <summary>An open retriever. Safe for concurrent use.</summary>
public interface IRetriever
{
    /// <summary>The chunks that may answer a query.</summary>
    /// <param name="query">The query.</param>
    /// <param name="count">Chunks at most, from 0 on.</param>
    /// <param name="filter">Attributes that a chunk's document has to have; null: any document.</param>
    /// <returns>The best first, none twice.</returns>
    IReadOnlyList<FoundChunk> Retrieve(string query, int count, IReadOnlyDictionary<string, string>? filter = null);
}
