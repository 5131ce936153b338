using System.ClientModel;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Files;
using OpenAI.VectorStores;
using PluginHost.Serving.Tests.Documents;

namespace PluginHost.Serving.Tests.Clients;

#pragma warning disable OPENAI001 // vector stores are for evaluation in the client

/// <summary>OpenAI's own clients, unchanged, over files and vector stores.</summary>
public sealed class OpenAIDocumentTests : IDisposable
{
    private const string Script = """
        import OpenAI, { toFile } from 'openai';
        const client = new OpenAI({ baseURL: process.argv[2], apiKey: process.argv[3], maxRetries: 0 });
        const result = {};
        const file = await client.files.create({ file: await toFile(Buffer.from('# Birds\nA heron has long legs.'), 'birds.md'), purpose: 'assistants' });
        result.content = await (await client.files.content(file.id)).text();
        const store = await client.vectorStores.create({ name: 'birds', metadata: { about: 'birds' } });
        const read = await client.vectorStores.files.createAndPoll(store.id, { file_id: file.id, attributes: { legs: 2 } }, { pollIntervalMs: 20 });
        result.status = read.status;
        const bad = await client.vectorStores.files.uploadAndPoll(store.id, await toFile(Buffer.from('x'), 'a.exe'), { pollIntervalMs: 20 });
        result.bad = [bad.status, bad.last_error.code];
        result.found = [];
        for await (const item of client.vectorStores.search(store.id, { query: 'heron', max_num_results: 5, filters: { type: 'and', filters: [{ type: 'eq', key: 'legs', value: 2 }] } }))
          result.found.push([item.filename, item.content[0].text, item.attributes.legs]);
        result.counts = (await client.vectorStores.retrieve(store.id)).file_counts;
        result.renamed = (await client.vectorStores.update(store.id, { name: 'herons' })).name;
        result.files = [];
        for await (const item of client.vectorStores.files.list(store.id, { limit: 1 })) result.files.push(item.status);
        result.stores = [];
        for await (const item of client.vectorStores.list()) result.stores.push(item.name);
        await client.vectorStores.files.delete(file.id, { vector_store_id: store.id });
        result.after = (await client.vectorStores.search(store.id, { query: 'heron' })).data.length;
        const batch = await client.vectorStores.fileBatches.createAndPoll(store.id, { file_ids: [file.id] }, { pollIntervalMs: 20 });
        result.batch = [batch.status, batch.file_counts.completed, (await client.vectorStores.fileBatches.listFiles(batch.id, { vector_store_id: store.id })).data[0].id === file.id];
        result.deleted = [(await client.vectorStores.delete(store.id)).deleted, (await client.files.delete(file.id)).deleted];
        try { await client.files.retrieve(file.id); } catch (error) { result.missing = [error.status, error.code]; }
        process.stdout.write(JSON.stringify(result));
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [SkippableFact]
    public async Task Client_OfNpm_KeepsReadsAndSearchesDocumentsUnchanged()
    {
        NodeClient.Need("openai@7.55.0");
        var key = "";
        await using var server = await DocumentServer.StartAsync(folder, keys: keys => key = keys.Create("someone", admin: false));

        var said = JsonNode.Parse(await NodeClient.RunAsync(Script, new Uri(server.Server.Address, "v1").ToString(), key))!;

        Assert.Equal("# Birds\nA heron has long legs.", (string)said["content"]!);
        Assert.Equal("completed", (string)said["status"]!);
        Assert.Equal("""["failed","unsupported_file"]""", said["bad"]!.ToJsonString());
        Assert.Equal("""[["birds.md","# Birds\nA heron has long legs.",2]]""", said["found"]!.ToJsonString());
        Assert.Equal((1, 1, 2), ((int)said["counts"]!["completed"]!, (int)said["counts"]!["failed"]!, (int)said["counts"]!["total"]!));
        Assert.Equal("herons", (string)said["renamed"]!);
        Assert.Equal("""["failed","completed"]""", said["files"]!.ToJsonString());
        Assert.Equal("""["herons"]""", said["stores"]!.ToJsonString());
        Assert.Equal(0, (int)said["after"]!);
        Assert.Equal("""["completed",1,true]""", said["batch"]!.ToJsonString());
        Assert.Equal("[true,true]", said["deleted"]!.ToJsonString());
        Assert.Equal("""[404,"file_not_found"]""", said["missing"]!.ToJsonString());
    }

    [Fact]
    public async Task Client_OfNuGet_KeepsReadsAndSearchesDocumentsUnchanged()
    {
        await using var server = await DocumentServer.StartAsync(folder);
        var client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Server.Address, "v1") });
        var (files, stores) = (client.GetOpenAIFileClient(), client.GetVectorStoreClient());

        OpenAIFile file = await files.UploadFileAsync(BinaryData.FromString("# Birds\nA heron has long legs."), "birds.md", FileUploadPurpose.Assistants);
        Assert.Equal(("birds.md", 30L, FilePurpose.Assistants), (file.Filename, file.SizeInBytesLong, file.Purpose));
        Assert.Equal("# Birds\nA heron has long legs.", (await files.DownloadFileAsync(file.Id)).Value.ToString());
        Assert.Equal(file.Id, Assert.Single((await files.GetFilesAsync()).Value).Id);
        VectorStore store = await stores.CreateVectorStoreAsync(new VectorStoreCreationOptions { Name = "birds", Metadata = { ["about"] = "birds" } });
        VectorStoreFile attached = await stores.AddFileToVectorStoreAsync(store.Id, file.Id);
        Assert.Equal(store.Id, attached.VectorStoreId);
        await server.UntilReadAsync(store.Id, file.Id);
        await stores.UpdateVectorStoreFileAttributesAsync(store.Id, file.Id, new Dictionary<string, BinaryData> { ["legs"] = BinaryData.FromString("2") });
        attached = await stores.GetVectorStoreFileAsync(store.Id, file.Id);
        Assert.Equal((VectorStoreFileStatus.Completed, "2"), (attached.Status, attached.Attributes["legs"].ToString()));
        Assert.Equal(file.Id, Assert.Single(stores.GetVectorStoreFiles(store.Id)).FileId);
        store = await stores.GetVectorStoreAsync(store.Id);
        Assert.Equal((1, VectorStoreStatus.Completed, "birds"), (store.FileCounts.Completed, store.Status, store.Metadata["about"]));
        using var query = BinaryContent.Create(BinaryData.FromString("""{"query":"heron","filters":{"type":"gte","key":"legs","value":2}}"""));
        var found = JsonNode.Parse((await stores.SearchVectorStoreAsync(store.Id, query)).GetRawResponse().Content.ToString())!;
        Assert.Equal(file.Id, (string)found["data"]![0]!["file_id"]!);
        Assert.Equal(store.Id, Assert.Single(stores.GetVectorStores()).Id);

        VectorStoreFileBatch batch = await stores.AddFileBatchToVectorStoreAsync(store.Id, [file.Id]);
        await server.UntilReadAsync(store.Id, file.Id);
        batch = await stores.GetVectorStoreFileBatchAsync(store.Id, batch.BatchId);
        Assert.Equal((VectorStoreFileBatchStatus.Completed, 1), (batch.Status, batch.FileCounts.Completed));
        Assert.True((await stores.RemoveFileFromVectorStoreAsync(store.Id, file.Id)).Value.Removed);
        Assert.True((await stores.DeleteVectorStoreAsync(store.Id)).Value.Deleted);
        Assert.True((await files.DeleteFileAsync(file.Id)).Value.Deleted);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => stores.GetVectorStoreAsync(store.Id))).Status);
    }
}
