using System.Net;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Documents;

public sealed class FileBatchTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task Create_Ids_AttachesAllAndCountsThem()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var (heron, sloop, torn) = (await server.UploadAsync("heron.txt", "A heron has long legs."), await server.UploadAsync("sloop.txt", "A sloop has one mast."), await server.UploadAsync("torn.pdf", "no PDF"));

        var made = await server.AskAsync("POST", Batches(store), $$$"""{"file_ids":["{{{heron}}}","{{{sloop}}}","{{{torn}}}"],"attributes":{"of":"batch"}}""");
        var read = await UntilReadAsync(server, store, (string)made["id"]!);

        Assert.Equal(("vector_store.files_batch", store), ((string)made["object"]!, (string)made["vector_store_id"]!));
        Assert.Equal(("completed", 2, 1, 0, 3), Counts(read));
        Assert.Equal([heron], await server.FoundAsync(store, "heron", ""","filters":{"type":"eq","key":"of","value":"batch"}"""));
        Assert.Equal([heron, sloop, torn], await FilesAsync(server, store, read, "?order=asc"));
        Assert.Equal([torn], await FilesAsync(server, store, read, "?filter=failed"));
    }

    [Fact]
    public async Task Create_Files_HaveAttributesAndChunksOfTheirOwn()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var (one, other) = (await server.UploadAsync("one.txt", "one"), await server.UploadAsync("other.txt", "other"));

        var made = await server.AskAsync("POST", Batches(store), $$$$"""
            {"attributes":{"n":1},"files":[{"file_id":"{{{{one}}}}"},{"file_id":"{{{{other}}}}","attributes":{"n":2},"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":100,"chunk_overlap_tokens":0}}}]}
            """);

        var files = (await server.AskAsync("GET", $"{Batches(store)}/{(string)made["id"]!}/files?order=asc"))["data"]!.AsArray();
        Assert.Equal([1, 2], files.Select(file => (int)file!["attributes"]!["n"]!));
        Assert.Equal([250, 100], files.Select(file => (int)file!["chunking_strategy"]!["static"]!["max_chunk_size_tokens"]!));
    }

    [Theory]
    [InlineData("""{}""", "one of 'file_ids' (ids) and 'files'")]
    [InlineData("""{"file_ids":[]}""", "there are 0 files; send 1 to 2000")]
    [InlineData("""{"file_ids":["FILE","file-none",7]}""", "there is no file 'file-none'; file_ids[2]: a file is named by its id")]
    [InlineData("""{"file_ids":["FILE","FILE"]}""", "is in the batch 2 times")]
    [InlineData("""{"files":[{"file_id":"FILE","colour":1}]}""", "'colour'")]
    [InlineData("""{"files":[{}]}""", "'file_id'")]
    [InlineData("""{"files":[{"file_id":"file-none","colour":1}]}""", "'colour'")]
    public async Task Create_Mistake_AttachesNothing(string body, string message)
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var (store, file) = (await server.StoreAsync(), await server.UploadAsync("a.txt", "a heron"));

        var (status, answer) = await server.SendAsync("POST", Batches(store), body.Replace("FILE", file, StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(message, (string)answer!["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Equal(0, (int)(await server.AskAsync("GET", $"/v1/vector_stores/{store}"))["file_counts"]!["total"]!);
    }

    [Fact]
    public async Task Cancel_WhileFilesWait_GivesThemUpAndKeepsWhatWasRead()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var store = await server.StoreAsync();
        var before = await server.AddAsync(store, "before.txt", "a heron");
        var files = new List<string>();
        for (var i = 0; i < 30; i++) files.Add(await server.UploadAsync($"{i}.txt", string.Concat(Enumerable.Repeat($"heron {i}. ", 20_000))));

        var batch = (string)(await server.AskAsync("POST", Batches(store), $$"""{"file_ids":["{{string.Join("\",\"", files)}}"]}"""))["id"]!;
        await server.AskAsync("POST", $"{Batches(store)}/{batch}/cancel");
        var read = await UntilReadAsync(server, store, batch);

        var (status, completed, failed, cancelled, total) = Counts(read);
        Assert.Equal(("cancelled", 0, 30, 30), (status, failed, total, completed + cancelled));
        Assert.True(cancelled > 0);
        Assert.Equal(cancelled, (await FilesAsync(server, store, read, "?filter=cancelled&limit=100")).Count);
        var found = await server.FoundAsync(store, "heron", ""","max_num_results":1000""");
        Assert.Contains(before, found);
        Assert.Equal(completed, found.Distinct().Count(files.Contains));
    }

    [Fact]
    public async Task Batch_AfterARestart_IsThere()
    {
        string store, batch;
        await using (var server = await DocumentServer.StartAsync(folder))
        {
            store = await server.StoreAsync();
            batch = (string)(await server.AskAsync("POST", Batches(store), $$"""{"file_ids":["{{await server.UploadAsync("a.txt", "a heron")}}"]}"""))["id"]!;
            await UntilReadAsync(server, store, batch);
        }

        await using var again = await DocumentServer.StartAsync(folder);

        await again.AskAsync("POST", $"{Batches(store)}/{batch}/cancel"); // nothing is left to give up
        Assert.Equal(("completed", 1, 0, 0, 1), Counts(await again.AskAsync("GET", $"{Batches(store)}/{batch}")));
        Assert.Equal(HttpStatusCode.NotFound, (await again.SendAsync("GET", $"{Batches(await again.StoreAsync("other"))}/{batch}")).Status);
    }

    private static string Batches(string store) => $"/v1/vector_stores/{store}/file_batches";

    private static (string Status, int Completed, int Failed, int Cancelled, int Total) Counts(JsonNode batch)
    {
        var counts = batch["file_counts"]!;
        return ((string)batch["status"]!, (int)counts["completed"]!, (int)counts["failed"]!, (int)counts["cancelled"]!, (int)counts["total"]!);
    }

    private static async Task<IReadOnlyList<string>> FilesAsync(DocumentServer server, string store, JsonNode batch, string query) =>
        [.. (await server.AskAsync("GET", $"{Batches(store)}/{(string)batch["id"]!}/files{query}"))["data"]!.AsArray().Select(item => (string)item!["id"]!)];

    private static async Task<JsonNode> UntilReadAsync(DocumentServer server, string store, string batch)
    {
        for (var i = 0; i < 6000; i++)
        {
            var item = await server.AskAsync("GET", $"{Batches(store)}/{batch}");
            if ((int)item["file_counts"]!["in_progress"]! == 0) return item;
            await Task.Delay(10);
        }
        throw new TimeoutException($"{batch} is still being read");
    }
}
