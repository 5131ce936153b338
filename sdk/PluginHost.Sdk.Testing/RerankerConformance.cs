using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>reranker</c>: over a scorer that counts the letters that a passage shares with the query.</summary>
public abstract class RerankerConformance : PluginConformance
{
    private static readonly FoundChunk[] Found =
    [
        new("boats", 0, "an old wooden boat", "", 9), new("stars", 0, "a red star", "page 1", 7) { Attributes = new Dictionary<string, string> { ["type"] = "pdf" } },
        new("stars", 1, "blue rings", "page 2", 3), new("trees", 0, "a tall tree", "", 1),
    ];

    /// <inheritdoc/>
    public override string Kind => "reranker";

    /// <inheritdoc/>
    protected override void UseOnce() => WithReranker(reranker => reranker.Rerank("a red star", Found));

    /// <summary>What was found comes back, each chunk once and whole, but for its score.</summary>
    [Fact]
    public void Rerank_AnyChunks_GivesEachOnceInTheOrderOfItsScores() => WithReranker(reranker =>
    {
        for (var count = 0; count <= Found.Length; count++)
        {
            var ordered = reranker.Rerank("a red star", Found[..count]);
            Assert.Equal(Found[..count].Select(Identity).Order(StringComparer.Ordinal), ordered.Select(Identity).Order(StringComparer.Ordinal));
            Assert.Equal(ordered.Select(chunk => chunk.Score).OrderDescending(), ordered.Select(chunk => chunk.Score));
            Assert.All(ordered, chunk => Assert.True(double.IsFinite(chunk.Score), $"the score of '{chunk.Text}' is {chunk.Score}"));
        }
    });

    /// <summary>The passage that reads like the query comes before the others.</summary>
    [Fact]
    public void Rerank_AChunkThatAnswers_ComesFirst() => WithReranker(reranker =>
    {
        FoundChunk[] found = [Found[1], Found[0], Found[3]];
        Assert.Equal("a red star", reranker.Rerank("a red star", found)[0].Text);
    });

    /// <summary>A query of nothing, a long one and passages of nothing are put in some order; never a failure.</summary>
    [Fact]
    public void Rerank_OddTexts_GiveAnOrder() => WithReranker(reranker =>
    {
        FoundChunk[] found = [.. Found, new FoundChunk("empty", 0, "", "", 0), new FoundChunk("long", 0, new string('x', 100_000), "", 0)];
        foreach (var query in new[] { "", " ", new string('x', 100_000), "星" }) Assert.Equal(found.Length, reranker.Rerank(query, found).Count);
    });

    /// <summary>Many threads at once get what one gets.</summary>
    [Fact]
    public void Rerank_FromManyThreads_GivesTheSame() => WithReranker(reranker =>
    {
        var expected = reranker.Rerank("a red star", Found).Select(Identity).ToArray();
        Parallel.For(0, 32, _ => Assert.Equal(expected, reranker.Rerank("a red star", Found).Select(Identity)));
    });

    private static string Identity(FoundChunk chunk) => $"{chunk.Document} {chunk.Number} {chunk.Place} {chunk.Text} {string.Join(',', chunk.Attributes)}";

    private void WithReranker(Action<IReranker> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check(lease.As<IRerankerPlugin>().Open(new RerankerContext(new Shared())));
        }
    }

    private sealed class Shared : IPassageScorer
    {
        public IReadOnlyList<float> Score(string query, IReadOnlyList<string> passages) =>
            [.. passages.Select(passage => query.Length == 0 ? 0 : (float)query.Intersect(passage).Count() - Math.Abs(query.Length - passage.Length))];
    }
}
