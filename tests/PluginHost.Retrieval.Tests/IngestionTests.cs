using Microsoft.Extensions.AI;
using PluginHost.Retrieval.Documents;
using PluginHost.Sdk;

namespace PluginHost.Retrieval.Tests;

public class IngestionTests
{
    private readonly MemoryIndex index = new();

    [Fact]
    public void Run_ASecondTime_PutsOnlyWhatHasChanged()
    {
        Run(Document("a", "1"), Document("b", "1"), Document("c", "1"));

        var result = Run(Document("a", "1"), Document("b", "2"), Document("d", "1"));

        Assert.Equal((2, 1, 1), (result.Put, result.Kept, result.Deleted));
        Assert.Equal(["a 1", "b 2", "d 1"], index.Documents.Select(item => $"{item.Key} {item.Value}").Order());
    }

    [Fact]
    public void Run_UnreadableDocument_IsLeftOutWithItsReason()
    {
        var result = Run(Document("a", "1"), new ListedDocument("bad", "1", _ => throw new UserErrorException("bad: is no text")));

        Assert.Equal([("bad", "bad: is no text")], result.Refused);
        Assert.Equal(1, result.Put);
    }

    [Fact]
    public void Run_NoDocuments_EmptiesTheIndex()
    {
        Run(Document("a", "1"));

        Assert.Equal(1, Run().Deleted);
        Assert.Empty(index.Documents);
    }

    [Fact]
    public void Run_ManyChunks_KeepTheirVectors()
    {
        var documents = Enumerable.Range(0, 3000).Select(number => Document($"{number}", "1", $"text {number}")).ToArray();

        Run(documents);

        Assert.All(index.Written, document => Assert.Equal(document.Chunks[0].Text.Length, document.Chunks[0].Vector.Span[0]));
        Assert.Equal(3000, index.Written.Count);
    }

    [Fact]
    public void Run_PictureThatCannotBeDecoded_TakesNoOtherDocumentWithIt()
    {
        ListedDocument Picture(string id, params byte[] content) => new(id, "1", _ => [new Passage("", id) { Picture = new DataContent(content, "image/png") }]);

        var result = Run(Document("a", "1", "one"), Picture("good", 7), Picture("torn"), Document("b", "1", "four"));

        Assert.Equal([("torn", "no picture")], result.Refused);
        Assert.Equal([("a", 3f), ("good", 7f), ("b", 4f)], index.Written.Select(document => (document.Id, document.Chunks[0].Vector.Span[0])));
    }

    private static IReadOnlyList<float[]> Vectors(IReadOnlyList<Passage> passages) => [.. passages.Select(passage => new float[]
    {
        passage.Picture is not { } picture ? passage.Text.Length : picture.Data.Length > 0 ? picture.Data.Span[0] : throw new BadSampleException("no picture"),
    })];

    private IngestionResult Run(params ListedDocument[] documents) =>
        new Ingestion(index, Vectors, new Chunker(100)).Run(documents, _ => { }, CancellationToken.None);

    private static ListedDocument Document(string id, string fingerprint, string text = "text") => new(id, fingerprint, _ => [new Passage("", text)]);

    private sealed class MemoryIndex : IDocumentIndex
    {
        private readonly Dictionary<string, string> documents = [];

        public List<IndexedDocument> Written { get; } = [];

        public int Chunks => documents.Count;

        public IReadOnlyDictionary<string, string> Documents => new Dictionary<string, string>(documents);

        public void Put(IReadOnlyList<IndexedDocument> documents)
        {
            Written.AddRange(documents);
            foreach (var document in documents) this.documents[document.Id] = document.Fingerprint;
        }

        public int Delete(IReadOnlyList<string> ids) => ids.Count(documents.Remove);

        public IReadOnlyList<FoundChunk> SearchText(string query, int count, IReadOnlyDictionary<string, string>? filter = null) => [];

        public IReadOnlyList<FoundChunk> SearchVector(ReadOnlyMemory<float> vector, int count, IReadOnlyDictionary<string, string>? filter = null) => [];

        public void Dispose()
        {
            // holds nothing
        }
    }
}
