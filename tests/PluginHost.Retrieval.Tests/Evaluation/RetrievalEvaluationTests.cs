using PluginHost.Retrieval.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Retrieval.Tests.Evaluation;

public class RetrievalEvaluationTests
{
    private static readonly ILookup<string, string> Documents = new[] { "a", "b", "c", "d" }.ToLookup(text => text);

    [Fact]
    public void Rate_Tasks_AreMeansAndTheirMean()
    {
        // The right one first: 1; second: 1 / log2(3); both of two, first and second: 1.
        var rated = Rate([Query("one", "a"), Query("one", "b"), Query("two", "a", "b")], "a", "b", "c");

        Assert.Equal((1 + 1 / Math.Log2(3)) / 2, rated["one"], 1e-9);
        Assert.Equal(1, rated["two"], 1e-9);
        Assert.Equal((rated["one"] + rated["two"]) / 2, rated[""], 1e-9);
    }

    [Fact]
    public void Rate_NotFound_IsNothing() => Assert.Equal(0, Rate([Query("one", "d")], "a")[""]);

    [Fact]
    public void Rate_AnswersThatNoDocumentHolds_AreLeftOut() => Assert.Equal(1, Rate([Query("one", "a"), Query("one", "unknown")], "a")["one"]);

    [Fact]
    public void Rate_ATextInTwoDocuments_IsAnsweredByEither()
    {
        var documents = new[] { ("x", "t"), ("t", "t") }.ToLookup(item => item.Item2, item => item.Item1);
        var rated = new RetrievalEvaluation(new Vectors([]), [Query("one", "t")], documents).Rate(new FixedRetriever("t", "other", "x"), CancellationToken.None);

        Assert.Equal((1 + 1 / Math.Log2(4)) / (1 + 1 / Math.Log2(3)), rated["one"], 1e-9);
    }

    [Fact]
    public void Exactness_ASearchThatMisses_SaysHowMuch()
    {
        var all = Enumerable.Range(0, 20).ToDictionary(i => ($"{i}", 0), i => new[] { (float)i });

        Assert.Equal(1, Exactness(all, [.. Enumerable.Range(10, 10)]).Recall);
        Assert.Equal(0.9, Exactness(all, [0, .. Enumerable.Range(11, 9)]).Recall, 1e-9);
    }

    private static (double Milliseconds, double Recall) Exactness(Dictionary<(string, int), float[]> all, int[] found) =>
        new RetrievalEvaluation(new Vectors(found), [], Documents).Exactness([[1f]], all);

    private static IReadOnlyDictionary<string, double> Rate(RatedQuery[] queries, params string[] found) =>
        new RetrievalEvaluation(new Vectors([]), queries, Documents).Rate(new FixedRetriever(found), CancellationToken.None);

    private static RatedQuery Query(string task, params string[] right) => new(task, "query", right.ToHashSet());

    private sealed class Vectors(int[] found) : IDocumentIndex
    {
        public int Chunks => found.Length;

        public IReadOnlyDictionary<string, string> Documents => new Dictionary<string, string>();

        public void Put(IReadOnlyList<IndexedDocument> documents) => throw new NotSupportedException("is only searched");

        public int Delete(IReadOnlyList<string> ids) => throw new NotSupportedException("is only searched");

        public IReadOnlyList<FoundChunk> SearchText(string query, int count, IReadOnlyDictionary<string, string>? filter = null) => [];

        public IReadOnlyList<FoundChunk> SearchVector(ReadOnlyMemory<float> vector, int count, IReadOnlyDictionary<string, string>? filter = null) =>
            [.. found.Select(number => new FoundChunk($"{number}", 0, "", "", number)).Take(count)];

        public void Dispose()
        {
            // holds nothing
        }
    }
}
