using System.Net;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Documents;

public sealed class VectorStoreTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task Store_FileAttached_IsFoundWithItsPlaceUntilItIsTakenOut()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var boats = await server.AddAsync(store, "boats.md", "# Boats\nA sloop has one mast.\n# Harbours\nA jetty is of wood.", """{"year":2020,"kind":"water"}""");
        await server.AddAsync(store, "birds.txt", "A heron has long legs.");

        var found = (await server.AskAsync("POST", $"/v1/vector_stores/{store}/search", """{"query":"what has a mast?","max_num_results":1}"""))["data"]!.AsArray().Single()!;
        Assert.Equal((boats, "boats.md", "# Boats\nA sloop has one mast.", "Boats", 2020), ((string)found["file_id"]!, (string)found["filename"]!, (string)found["content"]![0]!["text"]!, (string)found["place"]!, (int)found["attributes"]!["year"]!));
        var shown = await server.AskAsync("GET", $"/v1/vector_stores/{store}");
        Assert.Equal(("completed", 2, "retriever.lexical", "there are no towers"), ((string)shown["status"]!, (int)shown["file_counts"]!["completed"]!, (string)shown["retrieval"]!["retriever"]!, (string)shown["retrieval"]!["reason"]!));
        await server.AskAsync("DELETE", $"/v1/vector_stores/{store}/files/{boats}");
        Assert.Empty(await server.FoundAsync(store, "mast"));
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", $"/v1/files/{boats}")).Status);
    }

    [Fact]
    public async Task File_Deleted_IsFoundInNoStore()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var (one, other) = (await server.StoreAsync("one"), await server.StoreAsync("other"));
        var file = await server.AddAsync(one, "a.txt", "a heron");
        await server.AskAsync("POST", $"/v1/vector_stores/{other}/files", $$"""{"file_id":"{{file}}"}""");
        await server.UntilReadAsync(other, file);
        Assert.Equal([file], await server.FoundAsync(other, "heron"));

        await server.AskAsync("DELETE", $"/v1/files/{file}");

        Assert.Empty(await server.FoundAsync(one, "heron"));
        Assert.Empty(await server.FoundAsync(other, "heron"));
        Assert.Equal(0, (int)(await server.AskAsync("GET", $"/v1/vector_stores/{one}"))["file_counts"]!["total"]!);
    }

    [Theory]
    [InlineData("""{"type":"eq","key":"n","value":7}""", 1)]
    [InlineData("""{"type":"ne","key":"n","value":7}""", 29)]
    [InlineData("""{"type":"gt","key":"n","value":20}""", 9)]
    [InlineData("""{"type":"gte","key":"n","value":20}""", 10)]
    [InlineData("""{"type":"lt","key":"n","value":20.5}""", 21)]
    [InlineData("""{"type":"lte","key":"n","value":0}""", 1)]
    [InlineData("""{"type":"in","key":"kind","value":["odd","none"]}""", 15)]
    [InlineData("""{"type":"nin","key":"kind","value":["odd"]}""", 15)]
    [InlineData("""{"type":"and","filters":[{"type":"eq","key":"kind","value":"even"},{"type":"or","filters":[{"type":"lt","key":"n","value":4},{"type":"eq","key":"n","value":28}]}]}""", 3)]
    [InlineData("""{"type":"eq","key":"n","value":"7"}""", 0)]
    [InlineData("""{"type":"ne","key":"missing","value":true}""", 30)]
    [InlineData("""{"type":"or","filters":[]}""", 0)]
    public async Task Search_Filtered_GivesAllThatPassesAndNothingElse(string filter, int expected)
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        for (var n = 0; n < 30; n++) await server.AddAsync(store, $"{n}.txt", "heron", $$"""{"n":{{n}},"kind":"{{(n % 2 == 0 ? "even" : "odd")}}"}""");

        Assert.Equal(expected, (await server.FoundAsync(store, "heron", $",\"max_num_results\":30,\"filters\":{filter}")).Count);
        Assert.Equal(Math.Min(2, expected), (await server.FoundAsync(store, "heron", $",\"max_num_results\":2,\"filters\":{filter}")).Count);
    }

    [Fact]
    public async Task Search_AttributesChanged_FiltersByTheNewOnes()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var file = await server.AddAsync(store, "a.txt", "heron", """{"year":1}""");

        await server.AskAsync("POST", $"/v1/vector_stores/{store}/files/{file}", """{"attributes":{"year":2}}""");

        Assert.Equal([file], await server.FoundAsync(store, "heron", ""","filters":{"type":"eq","key":"year","value":2}"""));
        Assert.Empty(await server.FoundAsync(store, "heron", ""","filters":{"type":"eq","key":"year","value":1}"""));
    }

    [Theory]
    [InlineData("""{"query":"x","max_num_results":0}""", "max_num_results", "'max_num_results' is 0, outside its range 1 to 1000")]
    [InlineData("""{"query":"x","max_num_results":1000000}""", "max_num_results", "'max_num_results' is 1000000, outside its range 1 to 1000")]
    [InlineData("""{"query":" "}""", "query", "a query is a text that is not empty")]
    [InlineData("""{"query":[]}""", "query", "there are 0 queries; send 1 to 16")]
    [InlineData("""{"query":"x","filters":{"type":"eqq","key":"a","value":1}}""", "filters.type", "'eqq' is no filter; did you mean 'eq'?")]
    [InlineData("""{"query":"x","filters":{"type":"gt","key":"a","value":"b"}}""", "filters.value", "the value of 'gt' is a number, not the text \"b\"")]
    [InlineData("""{"query":"x","filters":{"type":"in","key":"a","value":1}}""", "filters.value", "the value of 'in' is a list of texts, numbers or truth values, not 1")]
    [InlineData("""{"query":"x","ranking_options":{"ranker":"best"}}""", "ranking_options.ranker", "'best' is no ranker")]
    [InlineData("""{"query":"x","top_k":3}""", "top_k", "unknown key 'top_k' of a search")]
    public async Task Search_Mistake_SaysWhereAndWhatWouldDo(string body, string param, string message)
    {
        await using var server = await DocumentServer.StartAsync(folder);

        var (status, answer) = await server.SendAsync("POST", $"/v1/vector_stores/{await server.StoreAsync()}/search", body);

        Assert.Equal((HttpStatusCode.BadRequest, param), (status, (string)answer!["error"]!["param"]!));
        Assert.Contains(message, (string)answer["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_FilterNestedWithoutEnd_IsRefused()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var many = string.Join(',', Enumerable.Repeat("""{"type":"eq","key":"a","value":1}""", 1000));

        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync("POST", $"/v1/vector_stores/{store}/search", $$$"""{"query":"x","filters":{"type":"or","filters":[{{{many}}}]}}""")).Status);
        var deep = string.Concat(Enumerable.Repeat("""{"type":"and","filters":[""", 5000)) + string.Concat(Enumerable.Repeat("]}", 5000));
        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync("POST", $"/v1/vector_stores/{store}/search", $$"""{"query":"x","filters":{{deep}}}""")).Status);
    }

    [Fact]
    public async Task Search_EmptyStore_FindsNothing()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        Assert.Empty(await server.FoundAsync(await server.StoreAsync(), "anything"));
    }

    [Theory]
    [InlineData("a.exe", "x", "unsupported_file", "'.exe' is no kind of document that is read")]
    [InlineData("a.pdf", "no pdf", "invalid_file", "is no PDF")]
    [InlineData("a.txt", " \n ", "invalid_file", "has no text")]
    public async Task Attach_UnreadableFile_FailsWithItsReason(string name, string content, string code, string message)
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var file = await server.UploadAsync(name, content);
        await server.AskAsync("POST", $"/v1/vector_stores/{store}/files", $$"""{"file_id":"{{file}}"}""");

        var item = await server.UntilReadAsync(store, file);

        Assert.Equal(("failed", code), ((string)item["status"]!, (string)item["last_error"]!["code"]!));
        Assert.Contains(message, (string)item["last_error"]!["message"]!, StringComparison.Ordinal);
        Assert.Equal([file], (await server.AskAsync("GET", $"/v1/vector_stores/{store}/files?filter=failed"))["data"]!.AsArray().Select(other => (string)other!["id"]!));
    }

    [Fact]
    public async Task Attach_LineOfTenMegabytes_IsFoundAtItsEnd()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var file = await server.AddAsync(store, "line.txt", string.Concat(Enumerable.Repeat("word ", 2_000_000)) + "heron");

        Assert.Equal([file], await server.FoundAsync(store, "heron"));
    }

    [Fact]
    public async Task Create_WithFilesAndMistakes_TakesAllOrNothing()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var file = await server.UploadAsync("a.txt", "heron");
        var (status, body) = await server.SendAsync("POST", "/v1/vector_stores", $$$"""{"file_ids":["{{{file}}}","file-no"],"expires_after":{"anchor":"last_active_at","days":1},"chunking_strategy":{"type":"fixed"}}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        foreach (var part in new[] { "there is no file 'file-no'", "do not expire", "'fixed' is no chunking strategy" }) Assert.Contains(part, (string)body!["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Empty((await server.AskAsync("GET", "/v1/vector_stores"))["data"]!.AsArray());

        var store = (string)(await server.AskAsync("POST", "/v1/vector_stores", $$$$"""{"file_ids":["{{{{file}}}}"],"metadata":{"a":"b"},"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":100,"chunk_overlap_tokens":0}}}"""))["id"]!;
        Assert.Equal(100, (int)(await server.UntilReadAsync(store, file))["chunking_strategy"]!["static"]!["max_chunk_size_tokens"]!);
        Assert.Equal([file], await server.FoundAsync(store, "heron"));
    }

    [Fact]
    public async Task Store_Deleted_IsGoneAndItsFilesStay()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var file = await server.AddAsync(store, "a.txt", "heron");

        Assert.True((bool)(await server.AskAsync("DELETE", $"/v1/vector_stores/{store}"))["deleted"]!);

        Assert.Equal("vector_store_not_found", (string)(await server.SendAsync("POST", $"/v1/vector_stores/{store}/search", """{"query":"heron"}""")).Body!["error"]!["code"]!);
        Assert.Empty(Directory.GetDirectories(Path.Combine(folder, "stores")));
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("GET", $"/v1/files/{file}")).Status);
    }

    [Fact]
    public async Task Store_SearchedByVectors_FindsTheNearest()
    {
        await using var server = await DocumentServer.StartAsync(folder, DocumentServer.Letters());
        var store = await server.StoreAsync();
        var near = await server.AddAsync(store, "near.txt", "abc abc");
        var far = await server.AddAsync(store, "far.txt", "ddd d");

        Assert.Equal([near, far], await server.FoundAsync(store, "cba"));
        Assert.Equal([near], await server.FoundAsync(store, "cba", ""","ranking_options":{"score_threshold":0.5}"""));
        Assert.Equal(("retriever.dense", "run-of-letters"), (await server.AskAsync("GET", $"/v1/vector_stores/{store}"))["retrieval"] is JsonNode shown ? ((string)shown["retriever"]!, (string)shown["encoder"]!) : default);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Store_Shown_SaysWhetherPicturesAreSearchedFor(bool pictures)
    {
        await using var server = await DocumentServer.StartAsync(folder, DocumentServer.Letters(pictures: pictures));

        Assert.Equal(pictures, (bool)(await server.AskAsync("GET", $"/v1/vector_stores/{await server.StoreAsync()}"))["retrieval"]!["pictures"]!);
    }

    [Fact]
    public async Task Store_EncoderExchanged_IsReadAnew()
    {
        string store, file;
        await using (var before = await DocumentServer.StartAsync(folder))
        {
            store = await before.StoreAsync();
            file = await before.AddAsync(store, "a.txt", "abc");
        }
        await using var after = await DocumentServer.StartAsync(folder, DocumentServer.Letters());
        await after.UntilReadAsync(store, file);

        Assert.Equal([file], await after.FoundAsync(store, "cab"));
        Assert.Equal(["letters"], Directory.GetDirectories(Path.Combine(folder, "stores", store)).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Routes_NothingSearches_SayWhatWould()
    {
        await using var server = await DocumentServer.StartAsync(folder, searches: false);

        var (status, body) = await server.SendAsync("POST", "/v1/vector_stores", "{}");

        Assert.Equal((HttpStatusCode.NotFound, "retrieval_not_configured"), (status, (string)body!["error"]!["code"]!));
        Assert.Contains("install the plugins index.sqlite", (string)body["error"]!["message"]!, StringComparison.Ordinal);
        Assert.NotEmpty(await server.UploadAsync("a.txt", "files are kept all the same"));
    }
}
