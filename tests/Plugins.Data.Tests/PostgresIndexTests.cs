using System.Reflection;
using Index.Postgres;
using Npgsql;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

/// <summary>The plugin beside PGlite, which has pgvector.</summary>
public sealed class PostgresIndexTests(PgliteServer server) : IClassFixture<PgliteServer>, IDisposable
{
    private static readonly PostgresOptions Options = new(ConnectionVariable: PgliteServer.Variable);

    private readonly string folder = Directory.CreateTempSubdirectory("postgres-index").FullName;

    public static TheoryData<string> Checks => [.. typeof(PostgresIndexConformance).GetMethods().Where(method => method.GetCustomAttribute<FactAttribute>() is not null).Select(method => method.Name)];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [SkippableTheory, MemberData(nameof(Checks))]
    public async Task Conformance_EachCheck_Holds(string check)
    {
        server.Need();
        var suite = typeof(PostgresIndexConformance).GetMethod(check)!;

        if (suite.Invoke(new PostgresIndexConformance(), BindingFlags.DoNotWrapExceptions, null, null, null) is Task running) await running;
    }

    [SkippableFact]
    public void SearchVector_ManyChunks_AsksTheGraph()
    {
        server.Need();
        var options = Options with { ExactUpTo = 10 };
        using (var index = DocumentIndex.Open(options, folder, 4)) index.Put([.. Enumerable.Range(0, 20).Select(IndexWriter.Document)]);

        using var connection = new NpgsqlConnection(Environment.GetEnvironmentVariable(PgliteServer.Variable));
        connection.Open();
        using var transaction = connection.BeginTransaction();
        var schema = new Schema(IndexName.Of(folder, "pluginhost"), 4, "word", "public", true);
        VectorSearch.Prepare(connection, schema, options, 5);
        var plan = string.Concat(Sql.Rows(connection, $"EXPLAIN {VectorSearch.InGraph(schema, false)}", row => row.GetString(0), new float[] { 1, 0, 0, 0 }, 5L));

        Assert.Contains("Index Scan using nearest", plan, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Put_FewChunksOrExact_MakesNoGraph()
    {
        server.Need();
        foreach (var options in new[] { Options, Options with { ExactUpTo = 0, Exact = true } })
            using (var index = DocumentIndex.Open(options, folder, 4)) index.Put([IndexWriter.Document(1)]);

        using var connection = new NpgsqlConnection(Environment.GetEnvironmentVariable(PgliteServer.Variable));
        connection.Open();
        Assert.Empty(Sql.Rows(connection, "SELECT 1 FROM pg_indexes WHERE schemaname = $1 AND indexname = 'nearest'", row => 1, IndexName.Of(folder, "pluginhost")));
    }

    /// <summary>One of fifty passes: pgvector asks its graph on, and where that gives up every vector is looked at.</summary>
    [SkippableFact]
    public void SearchVector_FilteredInTheGraph_GivesAsManyAsAskedFor()
    {
        server.Need();
        using var index = DocumentIndex.Open(Options with { ExactUpTo = 0, EfSearch = 10, M = 4, EfConstruction = 16 }, folder, 8);
        var random = new Random(5);
        float[] Vector() => [.. Enumerable.Range(0, 8).Select(_ => random.NextSingle() - 0.5f)];
        index.Put([.. Enumerable.Range(0, 1500).Select(number => new IndexedDocument($"{number}", "", [new IndexedChunk("a", "", Vector())]) { Attributes = new Dictionary<string, string> { ["of"] = $"{number % 50}" } })]);

        for (var query = 0; query < 10; query++)
        {
            var found = index.SearchVector(Vector(), 20, new Dictionary<string, string> { ["of"] = "7" });
            Assert.Equal(20, found.Select(item => item.Document).Distinct().Count());
            Assert.All(found, item => Assert.Equal("7", item.Attributes["of"]));
            Assert.Equal(found.OrderByDescending(item => item.Score), found);
        }
        Assert.Equal(30, index.SearchVector(Vector(), 100, new Dictionary<string, string> { ["of"] = "7" }).Count);
    }

    [SkippableFact]
    public void SearchVector_BeforePgvector08_GivesAsManyAsAskedFor()
    {
        server.Need();
        var options = Options with { ExactUpTo = 0, EfSearch = 10 };
        using (var index = DocumentIndex.Open(options, folder, 4))
            index.Put([.. Enumerable.Range(0, 100).Select(number => IndexWriter.Document(number) with { Attributes = new Dictionary<string, string> { ["of"] = $"{number % 10}" } })]);
        using var connection = new NpgsqlConnection(Environment.GetEnvironmentVariable(PgliteServer.Variable));
        connection.Open();
        var schema = new Schema(IndexName.Of(folder, "pluginhost"), 4, "word", "public", Continues: false);

        foreach (var (count, filter) in new[] { (50, null), (15, new Dictionary<string, string> { ["of"] = "3" }) })
            Assert.Equal(count, VectorSearch.Find(connection, schema, options, [1, 0, 0, 0], count, filter).Distinct().Count());
        Assert.Equal(200, VectorSearch.Find(connection, schema, options, [1, 0, 0, 0], 2000, null).Count);
    }

    [SkippableFact]
    public void Search_EqualScores_AreInTheOrderOfPutting()
    {
        server.Need();
        using var index = DocumentIndex.Open(Options, folder, 2);
        string[] ids = ["c", "a", "b"];
        foreach (var id in ids) index.Put([new IndexedDocument(id, "", [new IndexedChunk("red, green and blue", "", new float[] { 1, 2 })])]);

        Assert.Equal(ids, index.SearchText("blue red green", 3).Select(found => found.Document));
        Assert.Equal(ids[..2], index.SearchVector(new float[] { 1, 1 }, 2).Select(found => found.Document));
    }

    /// <summary>Held against the formula, by hand.</summary>
    [SkippableFact]
    public void SearchText_Scores_AreBm25()
    {
        server.Need();
        using var index = DocumentIndex.Open(Options with { Language = "none" }, folder, 0);
        string[] texts = ["cat", "the cat and the dog", "a dog", "the bird that sings all day", "nothing"];
        index.Put([.. texts.Select((text, number) => new IndexedDocument($"{number}", "", [new IndexedChunk(text, "", default)]))]);

        var mean = texts.Average(text => (double)text.Split(' ').Length);
        double Score(int number) => new[] { ("the", 2), ("cat", 2) }.Sum(word =>
        {
            var words = texts[number].Split(' ');
            double times = words.Count(item => item == word.Item1);
            return Math.Log(1 + (5 - word.Item2 + 0.5) / (word.Item2 + 0.5)) * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * words.Length / mean));
        });
        var found = index.SearchText("The cat!", 10);
        Assert.Equal(new[] { 0, 1, 3 }.OrderByDescending(Score).Select(number => $"{number}"), found.Select(item => item.Document));
        Assert.All(found, item => Assert.Equal(Score(int.Parse(item.Document)), item.Score, 1e-10));
    }

    [SkippableFact]
    public void SearchText_Stems_FindOtherFormsAndKeepEveryWord()
    {
        server.Need();
        using var index = DocumentIndex.Open(Options, folder, 0);
        index.Put([new IndexedDocument("a", "", [new IndexedChunk("she walks her dogs to The Who", "", default)])]);

        foreach (var query in new[] { "walking", "DOG", "the", "who" }) Assert.Single(index.SearchText(query, 5));
        Assert.Empty(index.SearchVector(default, 5));
    }

    [SkippableFact]
    public void Put_LettersThatADatabaseCannotKeep_AreReplacedInTextsAndRefusedInNames()
    {
        server.Need();
        using var index = DocumentIndex.Open(Options, folder, 0);
        index.Put([new IndexedDocument("a", "", [new IndexedChunk("one\0two \uD800 three", "\0", default)])]);

        Assert.Equal("one\uFFFDtwo \uFFFD three", index.SearchText("two", 1)[0].Text);
        Assert.Throws<ArgumentException>(() => index.Put([new IndexedDocument("b\0", "", [])]));
        Assert.Equal(0, index.Delete(["a\0"]));
        Assert.Empty(index.SearchText("two", 1, new Dictionary<string, string> { ["a"] = "\0" }));
    }

    [SkippableFact]
    public void Put_OneIdTwice_KeepsTheLater()
    {
        server.Need();
        using var index = DocumentIndex.Open(Options, folder, 0);
        index.Put([new IndexedDocument("a", "1", [new IndexedChunk("earlier", "", default)]), new IndexedDocument("a", "2", [new IndexedChunk("later", "", default)])]);

        Assert.Equal((1, "2"), (index.Chunks, index.Documents["a"]));
        Assert.Empty(index.SearchText("earlier", 1));
    }

    [SkippableFact]
    public void Open_ByTwo_EachSeesWhatTheOtherWrites()
    {
        server.Need();
        using var one = DocumentIndex.Open(Options, folder, 4);
        using var other = DocumentIndex.Open(Options, folder, 4);
        one.Put([IndexWriter.Document(1)]);
        other.Put([IndexWriter.Document(2)]);

        Assert.Equal(["1", "2"], one.Documents.Keys.Order());
        Assert.Equal(4, other.Chunks);
    }

    [SkippableFact]
    public void Open_FolderTakenAwayAndMadeAgain_IsEmpty()
    {
        server.Need();
        using (var index = DocumentIndex.Open(Options, folder, 4)) index.Put([IndexWriter.Document(1)]);
        File.Delete(Path.Combine(folder, IndexName.File));

        using var again = DocumentIndex.Open(Options, folder, 8);
        Assert.Equal(0, again.Chunks);
    }

    [SkippableFact]
    public void Open_OtherLanguageOrOneThatTheServerHasNot_IsRefused()
    {
        server.Need();
        DocumentIndex.Open(Options, folder, 0).Dispose();

        Assert.Contains("'language' = 'english'", Refusal(Options with { Language = "french" }), StringComparison.Ordinal);
        File.Delete(Path.Combine(folder, IndexName.File));
        Assert.Contains("no stemmer for 'language' = 'klingon'", Refusal(Options with { Language = "klingon" }), StringComparison.Ordinal);
    }

    private string Refusal(PostgresOptions options) => Assert.Throws<UserErrorException>(() => DocumentIndex.Open(options, folder, 0)).Message;
}
