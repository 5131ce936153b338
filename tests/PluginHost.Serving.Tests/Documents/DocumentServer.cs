using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Index.Sqlite;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Config;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;
using PluginHost.Serving.Documents;
using PluginHost.Serving.Keys;
using Retriever.Dense;
using static TorchSharp.torch;

namespace PluginHost.Serving.Tests.Documents;

/// <summary>A server with documents below a folder.</summary>
internal sealed class DocumentServer : IAsyncDisposable
{
    private readonly DocumentHost documents;
    private readonly RetrievalEngine? engine;

    private DocumentServer(TestServer server, DocumentHost documents, RetrievalEngine? engine) => (Server, this.documents, this.engine) = (server, documents, engine);

    public TestServer Server { get; }

    /// <param name="folder">Where documents are kept.</param>
    /// <param name="engine">What searches them; null: words.</param>
    /// <param name="keys">Makes keys.</param>
    /// <param name="change">Changes what the host file says.</param>
    /// <param name="searches">Whether anything searches them.</param>
    /// <param name="mostPages">Most pages that the database may grow to; 0: what the disk has.</param>
    public static async Task<DocumentServer> StartAsync(string folder, RetrievalEngine? engine = null, Action<ApiKeys>? keys = null, Func<ServerConfig, ServerConfig>? change = null, bool searches = true, int mostPages = 0)
    {
        if (searches) engine ??= Words();
        var documents = new DocumentHost(folder, engine, mostPages);
        return new DocumentServer(await TestServer.StartAsync(change, keys, builder => builder.Services.AddDocuments(documents), routes => routes.MapDocuments()), documents, engine);
    }

    /// <summary>By words alone.</summary>
    public static RetrievalEngine Words(IReranker? reranker = null) => new()
    {
        Retriever = "retriever.lexical",
        Space = "words",
        Reason = "there are no towers",
        Open = path => Opened(path, 0, index => new LexicalRetriever().Open(new RetrieverContext(index, null))),
        Reranker = reranker,
        Candidates = 50,
        RerankerName = reranker is null ? null : "reranker.length",
    };

    /// <summary>By vectors: how often each of the letters a to d is in a text.</summary>
    /// <param name="space">Names the weights.</param>
    /// <param name="pictures">Whether pictures have vectors too: each that of the text "aab".</param>
    public static RetrievalEngine Letters(string space = "letters", bool pictures = false) => new()
    {
        Retriever = "retriever.dense",
        Space = space,
        Encoder = "run-of-letters",
        Towers = new LetterEncoder(pictures),
        Open = path => Opened(path, 4, index => new DenseRetriever().Open(new RetrieverContext(index, new LetterEncoder(pictures)))),
    };

    private static OpenedIndex Opened(string path, int width, Func<IDocumentIndex, IRetriever> search)
    {
        var build = new BuildContext { Device = CPU, Logger = NullLogger.Instance, ContentFolder = "", Cancellation = CancellationToken.None };
        var index = new SqliteIndex(new SqliteOptions()).Open(new IndexContext(build, path, width));
        return new OpenedIndex(index, search(index), null);
    }

    public async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(string method, string path, string json = "", string? key = null)
    {
        using var message = new HttpRequestMessage(new HttpMethod(method), path) { Content = json.Length == 0 ? null : new StringContent(json, System.Text.Encoding.UTF8, "application/json") };
        if (key is not null) message.Headers.Authorization = new("Bearer", key);
        using var response = await Server.Client.SendAsync(message);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>The answer of a request that is to go well.</summary>
    public async Task<JsonNode> AskAsync(string method, string path, string json = "")
    {
        var (status, body) = await SendAsync(method, path, json);
        Assert.True(status == HttpStatusCode.OK, $"{method} {path}: {status} {body}");
        return body!;
    }

    public static MultipartFormDataContent Form(string name, byte[] content, string purpose = "assistants")
    {
        var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return new MultipartFormDataContent { { new StringContent(purpose), "purpose" }, { file, "file", name } };
    }

    /// <summary>Sends a file, and gives its id.</summary>
    public async Task<string> UploadAsync(string name, string content)
    {
        using var response = await Server.Client.PostAsync("/v1/files", Form(name, System.Text.Encoding.UTF8.GetBytes(content)));
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.True(response.IsSuccessStatusCode, body.ToJsonString());
        return (string)body["id"]!;
    }

    /// <summary>Makes a store, and gives its id.</summary>
    public async Task<string> StoreAsync(string name = "notes") => (string)(await AskAsync("POST", "/v1/vector_stores", $$"""{"name":"{{name}}"}"""))["id"]!;

    /// <summary>Sends a file and attaches it, and waits until it has been read.</summary>
    public async Task<string> AddAsync(string store, string name, string content, string attributes = "{}")
    {
        var file = await UploadAsync(name, content);
        await AskAsync("POST", $"/v1/vector_stores/{store}/files", $$"""{"file_id":"{{file}}","attributes":{{attributes}}}""");
        await UntilReadAsync(store, file);
        return file;
    }

    /// <summary>Waits until a file has been read, and gives what it is then.</summary>
    public async Task<JsonNode> UntilReadAsync(string store, string file)
    {
        for (var i = 0; i < 6000; i++)
        {
            var item = await AskAsync("GET", $"/v1/vector_stores/{store}/files/{file}");
            if ((string)item["status"]! != "in_progress") return item;
            await Task.Delay(10);
        }
        throw new TimeoutException($"{file} is still being read");
    }

    /// <summary>The files that a search finds, the best first.</summary>
    public async Task<IReadOnlyList<string>> FoundAsync(string store, string query, string more = "") =>
        [.. (await AskAsync("POST", $"/v1/vector_stores/{store}/search", $$"""{"query":"{{query}}"{{more}}}"""))["data"]!.AsArray().Select(item => (string)item!["file_id"]!)];

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        documents.Dispose();
        engine?.Dispose();
    }

    private sealed class LetterEncoder(bool pictures) : IPassageEncoder
    {
        public int Width => 4;

        public bool ReadsPictures => pictures;

        public ReadOnlyMemory<float> Encode(string query) => Vector(query);

        public IReadOnlyList<float[]> Queries(IReadOnlyList<AIContent> contents) => Passages(contents);

        public IReadOnlyList<float[]> Passages(IReadOnlyList<AIContent> contents) => [.. contents.Select(content => content switch
        {
            TextContent text => Vector(text.Text),
            DataContent data when data.HasTopLevelMediaType("image") => data.Data.Length > 20 ? Vector("aab") : throw new BadSampleException("the picture is torn"),
            _ => throw new UserErrorException("it is no text and no picture"),
        })];

        private static float[] Vector(string text)
        {
            float[] counts = [.. "abcd".Select(letter => (float)text.Count(other => other == letter))];
            var length = MathF.Sqrt(counts.Sum(count => count * count));
            return [.. counts.Select(count => length == 0 ? 0 : count / length)];
        }
    }
}

/// <summary>The longest first.</summary>
internal sealed class LengthReranker : IReranker
{
    public IReadOnlyList<FoundChunk> Rerank(string query, IReadOnlyList<FoundChunk> found) => [.. found.Select(chunk => chunk with { Score = chunk.Text.Length }).OrderByDescending(chunk => chunk.Score)];
}
