using PluginHost.Sdk;

namespace PluginHost.Retrieval.Tests;

public class RerankedRetrieverTests
{
    private readonly FixedRetriever first = new("a", "b", "c", "d");

    [Fact]
    public void Retrieve_FewerThanCandidates_PutsAllCandidatesInOrder()
    {
        var found = new RerankedRetriever(first, new Backwards(), 3).Retrieve("q", 2);

        Assert.Equal(["c", "b"], found.Select(chunk => chunk.Text));
        Assert.Equal(("q", 3), Assert.Single(first.Asked));
    }

    [Fact]
    public void Retrieve_MoreThanCandidates_FindsNoMoreThanThose() =>
        Assert.Equal(["b", "a"], new RerankedRetriever(first, new Backwards(), 2).Retrieve("q", 10).Select(chunk => chunk.Text));

    [Fact]
    public void Retrieve_Nothing_AsksNobody()
    {
        Assert.Empty(new RerankedRetriever(first, new Backwards(), 2).Retrieve("q", 0));
        Assert.Empty(first.Asked);
    }

    [Fact]
    public void RetrieveRanked_EachChunk_HasItsRankBefore() =>
        Assert.Equal([("c", 3), ("b", 2), ("a", 1)], new RerankedRetriever(first, new Backwards(), 3).RetrieveRanked("q", 5).Select(item => (item.Chunk.Text, item.FirstRank)));

    private sealed class Backwards : IReranker
    {
        public IReadOnlyList<FoundChunk> Rerank(string query, IReadOnlyList<FoundChunk> found) => [.. found.Reverse().Select((chunk, i) => chunk with { Score = -i })];
    }
}
