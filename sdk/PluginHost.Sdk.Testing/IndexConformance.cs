using System.Globalization;
using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>index</c>. Each check has an empty folder of its own.</summary>
public abstract class IndexConformance : PluginConformance
{
    private const int Width = 8;
    private static readonly string[] Subjects = ["red star", "blue ring", "green square", "old boat", "tall tree"];

    /// <inheritdoc/>
    public override string Kind => "index";

    /// <inheritdoc/>
    protected override void UseOnce() => WithIndex((index, _) =>
    {
        index.Put(Documents(10));
        index.SearchText("star", 3);
        index.SearchVector(Vector(3), 3);
    });

    /// <summary>What is put is found by its words and by its vector, with its place and attributes.</summary>
    [Fact]
    public void Search_AfterPut_FindsByWordsAndByVector() => WithIndex((index, _) =>
    {
        index.Put(Documents(40));
        Assert.Equal(80, index.Chunks);
        var byVector = index.SearchVector(Vector(34), 1)[0];
        Assert.Equal(("d17", 0, "part 0 of 17", "green"), (byVector.Document, byVector.Number, byVector.Place, byVector.Attributes["colour"]));
        Assert.Contains("green square", byVector.Text, StringComparison.Ordinal);
        Assert.All(index.SearchText("rings", 5).Concat(index.SearchText("ring", 5)), found => Assert.Contains("ring", found.Text, StringComparison.Ordinal));
        Assert.Equal(5, index.SearchText("ring", 5).Count);
    });

    /// <summary>The search by vectors misses nothing: it is held against looking at each by hand.</summary>
    [Fact]
    public void SearchVector_AgainstBruteForce_MissesNothing() => WithIndex((index, _) =>
    {
        index.Put(Documents(100));
        index.Delete(["d3", "d50"]);
        index.Put([Document(200)]);
        int[] there = [.. Enumerable.Range(0, 100).Except([3, 50]), 200];
        for (var query = 1000; query < 1010; query++)
        {
            var expected = there.SelectMany(document => new[] { 2 * document, 2 * document + 1 }).OrderByDescending(chunk => Dot(Vector(chunk), Vector(query))).Take(10).Select(chunk => $"d{chunk / 2} {chunk % 2}");
            Assert.Equal(expected, index.SearchVector(Vector(query), 10).Select(Name));
        }
    });

    /// <summary>No chunks for a count of zero, all that there are for a huge one, and none from an empty index.</summary>
    [Fact]
    public void Search_OddCounts_GiveWhatThereIs() => WithIndex((index, _) =>
    {
        Assert.Empty(index.SearchVector(Vector(1), 10));
        Assert.Empty(index.SearchText("star", 10));
        index.Put(Documents(10));
        Assert.Empty(index.SearchVector(Vector(1), 0));
        Assert.Empty(index.SearchText("star", 0));
        Assert.Equal(20, index.SearchVector(Vector(1), 1_000_000).Select(Name).Distinct().Count());
        Assert.Equal(4, index.SearchText("star", 1_000_000).Count);
    });

    /// <summary>A query is words, whatever it looks like.</summary>
    [Fact]
    public void SearchText_Operators_AreWords() => WithIndex((index, _) =>
    {
        index.Put(Documents(10));
        foreach (var query in new[] { "\"", "star OR", "text:star", "NEAR(star ring)", "star*", "^star", "'; DROP TABLE chunks; --", "-", "", "NOT star", "\0star" })
            Assert.InRange(index.SearchText(query, 100).Count, 0, 20);
        Assert.Equal(4, index.SearchText("star AND nothing", 100).Count(found => found.Text.Contains("star", StringComparison.Ordinal)));
        Assert.Equal(20, index.Chunks);
    });

    /// <summary>A filtered search still gives as many as were asked for.</summary>
    [Fact]
    public void Search_Filtered_GivesAsManyAsAskedFor() => WithIndex((index, _) =>
    {
        index.Put(Documents(100));
        var filter = new Dictionary<string, string> { ["colour"] = "old" };
        foreach (var found in new[] { index.SearchVector(Vector(0), 10, filter), index.SearchText("part red blue old", 10, filter) })
        {
            Assert.Equal(10, found.Count);
            Assert.All(found, item => Assert.Equal("old", item.Attributes["colour"]));
        }
        Assert.Empty(index.SearchVector(Vector(0), 10, new Dictionary<string, string> { ["colour"] = "none" }));
    });

    /// <summary>What is deleted or replaced is never found again, also after it was closed.</summary>
    [Fact]
    public void Delete_AndReplace_LeaveNothingBehind() => WithIndex((index, reopen) =>
    {
        index.Put(Documents(20));
        Assert.Equal(2, index.Delete(["d0", "d5", "never there"]));
        index.Put([Document(1) with { Fingerprint = "new", Chunks = [new IndexedChunk("a purple whale", "", Vector(500))] }]);
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal(35, index.Chunks);
            Assert.Equal(18, index.Documents.Count);
            Assert.Equal("new", index.Documents["d1"]);
            Assert.DoesNotContain(index.SearchVector(Vector(0), 100), found => found.Document is "d0" or "d5" || (found.Document == "d1" && found.Number > 0));
            Assert.DoesNotContain(index.SearchText("red star", 100), found => found.Document is "d0" or "d5");
            Assert.Equal("d1", index.SearchText("whale", 10).Single().Document);
            Assert.Equal("d1", index.SearchVector(Vector(500), 1)[0].Document);
            index = reopen();
        }
    });

    /// <summary>A vector of another width, or one that is no number, is refused, and nothing of the write is there.</summary>
    [Fact]
    public void Put_BadVector_IsRefusedWhole() => WithIndex((index, _) =>
    {
        foreach (var bad in new[] { new float[Width - 1], [.. new float[Width - 1], float.NaN] })
            Assert.Throws<ArgumentException>(() => index.Put([Document(1), new IndexedDocument("bad", "", [new IndexedChunk("a", "", bad)])]));
        Assert.Throws<ArgumentException>(() => index.SearchVector(new float[Width + 1], 1));
        Assert.Equal((0, 0), (index.Chunks, index.Documents.Count));
    });

    /// <summary>Searches beside writes see each write whole or not at all.</summary>
    [Fact]
    public void Search_BesideWrites_SeesWholeWrites() => WithIndex((index, _) =>
    {
        using var done = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
                Assert.All(index.SearchVector(Vector(7), 1000).GroupBy(found => found.Document), chunks => Assert.Equal(2, chunks.Count()));
        });
        for (var i = 0; i < 20; i++)
        {
            index.Put([.. Documents(10)]);
            index.Delete([$"d{i % 10}"]);
        }
        done.Cancel();
        reader.Wait(CancellationToken.None);
    });

    /// <summary>An index that was made for vectors of another width is refused with a message.</summary>
    [Fact]
    public void Open_AnotherWidth_IsRefused()
    {
        using var folder = new Folder();
        using var lease = Plugin.Lease(Plugin.Uses[0]);
        var plugin = lease.As<IIndexPlugin>();
        plugin.Open(new IndexContext(Surroundings(), folder.Path, Width)).Dispose();
        Assert.Contains("8", Assert.Throws<UserErrorException>(() => plugin.Open(new IndexContext(Surroundings(), folder.Path, 16))).Message, StringComparison.Ordinal);
    }

    private void WithIndex(Action<IDocumentIndex, Func<IDocumentIndex>> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var folder = new Folder();
            using var lease = Plugin.Lease(settings);
            IDocumentIndex Open() => lease.As<IIndexPlugin>().Open(new IndexContext(Surroundings(), folder.Path, Width));
            var index = Open();
            try
            {
                check(index, () =>
                {
                    index.Dispose();
                    return index = Open();
                });
            }
            finally
            {
                index.Dispose();
            }
        }
    }

    private static List<IndexedDocument> Documents(int count) => [.. Enumerable.Range(0, count).Select(Document)];

    private static IndexedDocument Document(int number) => new($"d{number}", "1",
        [.. Enumerable.Range(0, 2).Select(part => new IndexedChunk($"the {Subjects[number % Subjects.Length]} of part {part}", $"part {part} of {number}", Vector(2 * number + part)))])
    {
        Attributes = new Dictionary<string, string> { ["colour"] = Subjects[number % Subjects.Length].Split(' ')[0] },
    };

    private static string Name(FoundChunk found) => string.Create(CultureInfo.InvariantCulture, $"{found.Document} {found.Number}");

    private static float[] Vector(int seed)
    {
        var random = new Random(seed);
        var values = Enumerable.Range(0, Width).Select(_ => random.NextSingle() - 0.5f).ToArray();
        var length = MathF.Sqrt(values.Sum(value => value * value));
        return [.. values.Select(value => value / length)];
    }

    private static double Dot(float[] left, float[] right) => left.Zip(right, (one, two) => (double)one * two).Sum();

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("index").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
