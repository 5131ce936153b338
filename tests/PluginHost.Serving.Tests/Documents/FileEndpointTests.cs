using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Documents;

public sealed class FileEndpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    private static async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(DocumentServer server, HttpContent content)
    {
        using var response = await server.Server.Client.PostAsync("/v1/files", content);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    [Fact]
    public async Task File_IsKeptListedReadAndDeleted()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var id = await server.UploadAsync("notes/ünï.md", "# Héllo");

        var file = await server.AskAsync("GET", $"/v1/files/{id}");
        Assert.Equal(("file", 8, "ünï.md", "assistants", "processed"), ((string)file["object"]!, (int)file["bytes"]!, (string)file["filename"]!, (string)file["purpose"]!, (string)file["status"]!));
        using var content = await server.Server.Client.GetAsync($"/v1/files/{id}/content");
        Assert.Equal("# Héllo", await content.Content.ReadAsStringAsync());
        Assert.Equal(("nosniff", "attachment"), (content.Headers.GetValues("X-Content-Type-Options").Single(), content.Content.Headers.ContentDisposition!.DispositionType));
        var second = await server.UploadAsync("b.txt", "b");
        Assert.Equal([second, id], (await server.AskAsync("GET", "/v1/files"))["data"]!.AsArray().Select(item => (string)item!["id"]!));
        var page = await server.AskAsync("GET", "/v1/files?limit=1&order=asc");
        Assert.Equal((id, true), ((string)page["data"]![0]!["id"]!, (bool)page["has_more"]!));
        Assert.Equal(second, (string)(await server.AskAsync("GET", $"/v1/files?limit=1&order=asc&after={id}"))["data"]![0]!["id"]!);
        Assert.True((bool)(await server.AskAsync("DELETE", $"/v1/files/{id}"))["deleted"]!);
        Assert.Equal("file_not_found", (string)(await server.SendAsync("GET", $"/v1/files/{id}/content")).Body!["error"]!["code"]!);
        Assert.Equal([second], Directory.GetFiles(Path.Combine(folder, "files")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("a.txt", "", "assistants", "the file 'a.txt' is empty")]
    [InlineData("a.txt", "x", "asistants", "'asistants' is no purpose; did you mean 'assistants'?")]
    [InlineData("../", "x", "assistants", "the file needs a filename of 1 to 255 characters")]
    public async Task Create_Mistake_SaysWhatWouldDoAndLeavesNothing(string name, string content, string purpose, string message)
    {
        await using var server = await DocumentServer.StartAsync(folder);

        var (status, body) = await PostAsync(server, DocumentServer.Form(name, Encoding.UTF8.GetBytes(content), purpose));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith(message, (string)body["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Empty((await server.AskAsync("GET", "/v1/files"))["data"]!.AsArray());
        Assert.Empty(Directory.Exists(Path.Combine(folder, "files")) ? Directory.GetFiles(Path.Combine(folder, "files")) : []);
    }

    [Fact]
    public async Task Create_NoForm_Is415AndDamagedFormIs400()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await server.SendAsync("POST", "/v1/files", "{}")).Status);
        var cut = new ByteArrayContent("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhalf a fi"u8.ToArray());
        cut.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b");

        var (status, body) = await PostAsync(server, cut);

        Assert.Equal((HttpStatusCode.BadRequest, "the body is no complete multipart/form-data"), (status, (string)body["error"]!["message"]!));
        Assert.Empty(Directory.Exists(Path.Combine(folder, "files")) ? Directory.GetFiles(Path.Combine(folder, "files")) : []);
    }

    [Fact]
    public async Task Create_TooLarge_Is413AndLeavesNothing()
    {
        await using var server = await DocumentServer.StartAsync(folder, change: config => config with { MaxBodyBytes = 1 << 20 });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/files") { Content = DocumentServer.Form("a.txt", new byte[2 << 20]) };
        request.Headers.TransferEncodingChunked = true;

        using var response = await server.Server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains("more than 1 MB", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(Path.Combine(folder, "files")) ? Directory.GetFiles(Path.Combine(folder, "files")) : []);
    }

    [Fact]
    public async Task Routes_ServerWithKeys_AskForOneAndCountIt()
    {
        var key = "";
        await using var server = await DocumentServer.StartAsync(folder, keys: keys => key = keys.Create("someone", admin: false), change: config => config with { RequestsPerMinute = 2 });

        foreach (var path in new[] { "/v1/files", "/v1/vector_stores" }) Assert.Equal(HttpStatusCode.Unauthorized, (await server.SendAsync("GET", path)).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", "/v1/files", key: key)).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", "/v1/vector_stores", key: key)).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await server.SendAsync("POST", "/v1/rerank", "{}", key)).Status);
    }

    [Fact]
    public async Task Create_DiskIsFull_SaysSoAndLeavesNothing()
    {
        await using var server = await DocumentServer.StartAsync(folder, mostPages: 14);
        (HttpStatusCode Status, JsonNode? Body) last = default;
        for (var i = 0; i < 400 && last.Status is 0 or HttpStatusCode.OK; i++) last = await PostAsync(server, DocumentServer.Form(new string('n', 200) + ".txt", "x"u8.ToArray()));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "documents_unavailable"), (last.Status, (string)last.Body!["error"]!["code"]!));
        Assert.Equal((await server.AskAsync("GET", "/v1/files"))["data"]!.AsArray().Count, Directory.GetFiles(Path.Combine(folder, "files")).Length);
    }

    [Fact]
    public async Task OpenApi_NamesAllRoutes()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var paths = (await server.AskAsync("GET", "/openapi.json"))["paths"]!.AsObject().Select(path => path.Key).ToList();

        Assert.Superset(new HashSet<string>(["/v1/files", "/v1/files/{id}", "/v1/files/{id}/content", "/v1/vector_stores", "/v1/vector_stores/{id}", "/v1/vector_stores/{id}/files", "/v1/vector_stores/{id}/files/{file}", "/v1/vector_stores/{id}/search", "/v1/rerank"]), new HashSet<string>(paths));
    }
}
