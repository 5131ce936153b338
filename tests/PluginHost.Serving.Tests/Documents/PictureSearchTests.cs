using System.Net;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Documents;

public sealed class PictureSearchTests : IDisposable
{
    // Four by four pixels of red.
    private const string Red = "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR42mP4z8AARwzEcQCukw/xOF6MEQAAAABJRU5ErkJggg==";

    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task Search_Picture_FindsPicturesAndTextsNearIt()
    {
        await using var server = await DocumentServer.StartAsync(folder, DocumentServer.Letters(pictures: true));
        var store = await server.StoreAsync();
        var far = await server.AddAsync(store, "far.txt", "d d c");
        var near = await server.AddAsync(store, "near.txt", "a b a", """{"kind":"text"}""");
        var picture = await AddPictureAsync(server, store, "red.png");

        Assert.Equal([near, picture, far], await SearchAsync(server, store, Picture(Red)));
        Assert.Equal([near], await SearchAsync(server, store, Picture(Red), ""","filters":{"type":"eq","key":"kind","value":"text"}"""));
        Assert.Equal(2, (await SearchAsync(server, store, $"[{Picture(Red)},{Picture(Red)}]", ""","max_num_results":2""")).Count);
        var answer = await server.AskAsync("POST", $"/v1/vector_stores/{store}/search", $$"""{"query":{{Picture(Red)}}}""");
        Assert.Equal(["<image>"], answer["search_query"]!.AsArray().Select(item => (string)item!));
    }

    [Fact]
    public async Task Search_PictureWhereNoneIsRead_SaysWhatWould()
    {
        await using var words = await DocumentServer.StartAsync(folder);
        var (status, body) = await words.SendAsync("POST", $"/v1/vector_stores/{await words.StoreAsync()}/search", $$"""{"query":{{Picture(Red)}}}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("query[0]", (string)body!["error"]!["param"]!);
        Assert.Contains("no picture can be searched for: there are no towers; name a retrieval file", (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_PictureOfTextTowers_SaysWhatWould()
    {
        await using var server = await DocumentServer.StartAsync(folder, DocumentServer.Letters());
        var (status, body) = await server.SendAsync("POST", $"/v1/vector_stores/{await server.StoreAsync()}/search", $$"""{"query":[{{Picture(Red)}}]}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("query[0]", (string)body!["error"]!["param"]!);
        Assert.Contains("the towers of run-of-letters read texts alone", (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}""", "the picture is torn")]
    [InlineData("""{"type":"image_url","image_url":{"url":"data:image/png;base64,*"}}""", "base64")]
    [InlineData("""{"type":"image_url","image_url":{"url":"data:audio/wav;base64,AAAA"}}""", "it is no text and no picture")]
    [InlineData("""{"type":"image_url"}""", "'image_url'")]
    [InlineData("""{"type":"image_url","image_url":{"url":"http://127.0.0.1/a.png"}}""", "server.mediaHosts")]
    [InlineData("""["a",{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]""", "scores of words and of pictures do not compare")]
    [InlineData("""{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}""", "a query is a text that is not empty, or a picture")]
    public async Task Search_BadPicture_SaysWhere(string query, string message)
    {
        await using var server = await DocumentServer.StartAsync(folder, DocumentServer.Letters(pictures: true));

        var (status, body) = await server.SendAsync("POST", $"/v1/vector_stores/{await server.StoreAsync()}/search", $$"""{"query":{{query}}}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith("query", (string)body!["error"]!["param"]!, StringComparison.Ordinal);
        Assert.Contains(message, (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    private static string Picture(string base64) => $$$"""{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{base64}}}"}}""";

    private static async Task<IReadOnlyList<string>> SearchAsync(DocumentServer server, string store, string query, string more = "") =>
        [.. (await server.AskAsync("POST", $"/v1/vector_stores/{store}/search", $$"""{"query":{{query}}{{more}}}"""))["data"]!.AsArray().Select(item => (string)item!["file_id"]!)];

    private static async Task<string> AddPictureAsync(DocumentServer server, string store, string name)
    {
        using var response = await server.Server.Client.PostAsync("/v1/files", DocumentServer.Form(name, Convert.FromBase64String(Red)));
        var file = (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["id"]!;
        await server.AskAsync("POST", $"/v1/vector_stores/{store}/files", $$"""{"file_id":"{{file}}"}""");
        Assert.Equal("completed", (string)(await server.UntilReadAsync(store, file))["status"]!);
        return file;
    }
}
