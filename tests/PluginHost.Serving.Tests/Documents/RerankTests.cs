using System.Net;

namespace PluginHost.Serving.Tests.Documents;

public sealed class RerankTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task Rerank_TextsAndObjects_GivesTheBestWithTheirPlaces()
    {
        await using var server = await DocumentServer.StartAsync(folder, DocumentServer.Words(new LengthReranker()));

        var answer = await server.AskAsync("POST", "/v1/rerank", """{"model":"reranker.length","query":"q","documents":["bb",{"text":"cccc"},"a"],"top_n":2,"return_documents":true}""");

        Assert.Equal([(1, 4, "cccc"), (0, 2, "bb")], answer["results"]!.AsArray().Select(item => ((int)item!["index"]!, (int)item["relevance_score"]!, (string)item["document"]!["text"]!)));
        Assert.Null((await server.AskAsync("POST", "/v1/rerank", """{"query":"q","documents":["a"]}"""))["results"]![0]!["document"]);
    }

    [Theory]
    [InlineData("""{"query":"q","documents":[]}""", "documents", "there are 0 documents; send 1 to 1000")]
    [InlineData("""{"query":"q","documents":["a",1]}""", "documents[1]", "a document is a text, or an object with 'text', not 1")]
    [InlineData("""{"query":"q","documents":["a"],"top_n":0}""", "top_n", "'top_n' is 0, outside its range")]
    [InlineData("""{"documents":["a"]}""", null, "a rerank request needs 'query'")]
    public async Task Rerank_Mistake_SaysWhereAndWhatWouldDo(string body, string? param, string message)
    {
        await using var server = await DocumentServer.StartAsync(folder, DocumentServer.Words(new LengthReranker()));

        var (status, answer) = await server.SendAsync("POST", "/v1/rerank", body);

        Assert.Equal((HttpStatusCode.BadRequest, param), (status, (string?)answer!["error"]!["param"]));
        Assert.Contains(message, (string)answer["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rerank_UnknownOrNone_SaysWhichThereIsOrWhatGivesOne()
    {
        await using (var server = await DocumentServer.StartAsync(folder, DocumentServer.Words(new LengthReranker())))
            Assert.Equal((HttpStatusCode.NotFound, "there is no reranker 'other'; this server has 'reranker.length'"), await AskAsync(server, "other"));
        await using var none = await DocumentServer.StartAsync(folder);
        var (status, message) = await AskAsync(none, "other");
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("server.retrieval in the host file", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_WithReranker_IsInItsOrderUnlessNoneIsWanted()
    {
        await using var server = await DocumentServer.StartAsync(folder, DocumentServer.Words(new LengthReranker()));
        var store = await server.StoreAsync();
        var brief = await server.AddAsync(store, "brief.txt", "heron");
        var wordy = await server.AddAsync(store, "wordy.txt", "a heron among many other birds of the sea and of the lake");

        Assert.Equal([wordy, brief], await server.FoundAsync(store, "heron"));
        Assert.Equal([brief, wordy], await server.FoundAsync(store, "heron", ""","ranking_options":{"ranker":"none"}"""));
    }

    private static async Task<(HttpStatusCode, string)> AskAsync(DocumentServer server, string model)
    {
        var (status, body) = await server.SendAsync("POST", "/v1/rerank", $$"""{"model":"{{model}}","query":"q","documents":["a"]}""");
        return (status, (string)body!["error"]!["message"]!);
    }
}
