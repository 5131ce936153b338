namespace PluginHost.Sdk;

/// <summary>Kind <c>reranker</c>: the second stage of a retrieval, which looks at each found chunk together with the query.</summary>
public interface IRerankerPlugin
{
    /// <summary>Opens the reranker.</summary>
    /// <param name="context">The surroundings.</param>
    /// <exception cref="UserErrorException">It needs a trained scorer, and there is none.</exception>
    IReranker Open(RerankerContext context);
}

/// <summary>What a reranker is opened with.</summary>
/// <param name="Scorer">A trained cross-encoder; null: there is none.</param>
public sealed record RerankerContext(IPassageScorer? Scorer);

/// <summary>Says how well passages answer a query, reading both together. Safe for concurrent use.</summary>
public interface IPassageScorer
{
    /// <summary>Scores passages.</summary>
    /// <returns>One number for each passage, in order: the greater, the better. Comparable within a query.</returns>
    IReadOnlyList<float> Score(string query, IReadOnlyList<string> passages);
}

/// <summary>An open reranker. Safe for concurrent use.</summary>
public interface IReranker
{
    /// <summary>Puts found chunks in a better order.</summary>
    /// <param name="query">The query.</param>
    /// <param name="found">What the first stage has found, the best first.</param>
    /// <returns>The same chunks, each once, with scores of its own, the best first.</returns>
    IReadOnlyList<FoundChunk> Rerank(string query, IReadOnlyList<FoundChunk> found);
}
