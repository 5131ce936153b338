using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>retriever</c>: over a small index that looks at everything, with an encoder that counts letters.</summary>
public abstract class RetrieverConformance : PluginConformance
{
    /// <inheritdoc/>
    public override string Kind => "retriever";

    /// <inheritdoc/>
    protected override void UseOnce() => WithRetriever(retriever => retriever.Retrieve("a red star", 3));

    /// <summary>As many chunks as asked for at most, the best first, none twice.</summary>
    [Fact]
    public void Retrieve_AnyCount_GivesDistinctChunksInOrder() => WithRetriever(retriever =>
    {
        foreach (var count in new[] { 0, 1, 5, 1_000_000 })
        {
            var found = retriever.Retrieve("red star", count);
            Assert.InRange(found.Count, 0, Math.Min(count, LetterIndex.Texts.Length));
            Assert.Equal(found.Count, found.Select(item => (item.Document, item.Number)).Distinct().Count());
            Assert.Equal(found.Select(item => item.Score).OrderDescending(), found.Select(item => item.Score));
        }
        Assert.Equal("a red star", retriever.Retrieve("a red star", 1).Single().Text);
    });

    /// <summary>A query of nothing is an answer of nothing, or some chunks; never a failure.</summary>
    [Fact]
    public void Retrieve_OddQueries_GiveAnAnswer() => WithRetriever(retriever =>
    {
        foreach (var query in new[] { "", " ", "\"", new string('x', 100_000), "星" }) Assert.InRange(retriever.Retrieve(query, 3).Count, 0, 3);
    });

    /// <summary>A filter holds for every chunk.</summary>
    [Fact]
    public void Retrieve_Filtered_GivesOnlyWhatPasses() => WithRetriever(retriever =>
    {
        var found = retriever.Retrieve("a red star", 100, new Dictionary<string, string> { ["length"] = "10" });
        Assert.NotEmpty(found);
        Assert.All(found, item => Assert.Equal(10, item.Text.Length));
    });

    private void WithRetriever(Action<IRetriever> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            using var index = new LetterIndex();
            check(lease.As<IRetrieverPlugin>().Open(new RetrieverContext(index, new Letters())));
        }
    }

    private sealed class Letters : IQueryEncoder
    {
        public ReadOnlyMemory<float> Encode(string query) => Count(query);

        public static float[] Count(string text)
        {
            var counts = new float[32];
            foreach (var letter in text) counts[letter % 32]++;
            var length = MathF.Sqrt(counts.Sum(count => count * count));
            return length == 0 ? counts : [.. counts.Select(count => count / length)];
        }
    }

    private sealed class LetterIndex : IDocumentIndex
    {
        public static readonly string[] Texts = ["a red star", "blue rings", "green hat.", "an old wooden boat", "a tall tree", "star of the sea"];

        public int Chunks => Texts.Length;

        public IReadOnlyDictionary<string, string> Documents => Texts.ToDictionary(text => text, _ => "");

        public void Put(IReadOnlyList<IndexedDocument> documents) => throw new NotSupportedException("a retriever only reads");

        public int Delete(IReadOnlyList<string> ids) => throw new NotSupportedException("a retriever only reads");

        public IReadOnlyList<FoundChunk> SearchText(string query, int count, IReadOnlyDictionary<string, string>? filter = null) =>
            Best(count, filter, text => query.Split(' ').Intersect(text.Split(' ')).Count(), least: 1);

        public IReadOnlyList<FoundChunk> SearchVector(ReadOnlyMemory<float> vector, int count, IReadOnlyDictionary<string, string>? filter = null)
        {
            var wanted = vector.ToArray();
            return Best(count, filter, text => wanted.Zip(Letters.Count(text), (one, two) => one * two).Sum(), least: double.NegativeInfinity);
        }

        public void Dispose()
        {
            // holds nothing
        }

        private static List<FoundChunk> Best(int count, IReadOnlyDictionary<string, string>? filter, Func<string, double> score, double least) =>
            [.. Texts.Select(text => new FoundChunk(text, 0, text, "", score(text)) { Attributes = new Dictionary<string, string> { ["length"] = $"{text.Length}" } })
                .Where(item => item.Score >= least && (filter is null || filter.All(wanted => item.Attributes.GetValueOrDefault(wanted.Key) == wanted.Value)))
                .OrderByDescending(item => item.Score).Take(count)];
    }
}
