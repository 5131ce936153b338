namespace PluginHost.Retrieval;

/// <summary>
/// What a retrieval keeps: <c>words/</c> (an index without vectors, to mine by), <c>negatives.jsonl</c>, <c>encoder</c> (the run that encodes), <c>index/</c>,
/// <c>hard-negatives.jsonl</c> and <c>reranker</c> (the same for the second stage), <c>build.json</c> (what the last build measured).
/// </summary>
/// <param name="artifacts">The folder of all runs.</param>
/// <param name="name">The retrieval's name.</param>
public sealed class RetrievalFolder(string artifacts, string name)
{
    /// <summary>The folder.</summary>
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetFullPath(artifacts), "retrieval", name);

    /// <summary>An index without vectors.</summary>
    public string Words => System.IO.Path.Combine(Path, "words");

    /// <summary>Mined negatives.</summary>
    public string Negatives => System.IO.Path.Combine(Path, "negatives.jsonl");

    /// <summary>Names the run that encodes.</summary>
    public string Encoder => System.IO.Path.Combine(Path, "encoder");

    /// <summary>The index of a run's vectors.</summary>
    public string Index => System.IO.Path.Combine(Path, "index");

    /// <summary>Negatives that were mined with the trained towers.</summary>
    public string HardNegatives => System.IO.Path.Combine(Path, "hard-negatives.jsonl");

    /// <summary>Names the run that reranks, and in a second line the identity of the towers that it was trained behind.</summary>
    public string Reranker => System.IO.Path.Combine(Path, "reranker");

    /// <summary>The run of the towers; null: they are not trained.</summary>
    public string? TowersRun => File.Exists(Encoder) ? File.ReadAllText(Encoder).Trim() : null;

    /// <summary>The run of the reranker that was trained behind towers; null: there is none.</summary>
    /// <param name="identity">Of the towers' weights.</param>
    public string? RerankerRun(string identity) => File.Exists(Reranker) && File.ReadAllLines(Reranker) is [var run, var behind] && behind == identity ? run : null;

    /// <summary>What the last build measured.</summary>
    public string Build => System.IO.Path.Combine(Path, "build.json");
}
