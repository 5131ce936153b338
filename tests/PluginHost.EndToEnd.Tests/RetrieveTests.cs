using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

/// <summary>A retrieval over the few synsets that lie beside the source of WordNet, with the shipped projects made small.</summary>
public sealed class RetrieveTests : IDisposable
{
    // Four by four pixels of one colour.
    private static readonly (string Name, string Png)[] Coloured =
    [
        ("red_wall", "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR42mP4z8AARwzEcQCukw/xOF6MEQAAAABJRU5ErkJggg=="),
        ("blue_sky", "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR42mNgYPiPhIjiAACOsw/xW6KAvAAAAABJRU5ErkJggg=="),
        ("green_grass", "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAD0lEQVR42mNgWMCAQMRxAARDCgFnb+6zAAAAAElFTkSuQmCC"),
    ];

    private readonly HostProcess host = new();
    private readonly string file;

    public RetrieveTests()
    {
        Small("dual-tower.json");
        Small("cross-encoder.json", """ "layers": 1, "width": 16, "heads": 2, "feedForward": 16 """);
        file = Write("retrieval.json", """
            { "name": "tiny", "encoder": "dual-tower.json", "negatives": { "queries": 40, "each": 2 },
              "reranker": { "encoder": "cross-encoder.json", "candidates": 10, "negatives": { "queries": 20, "each": 10, "folds": 2 } },
              "evaluate": { "split": "train", "tasks": ["words", "hypernym"], "limit": 10 } }
            """);
    }

    public void Dispose() => host.Dispose();

    [Fact]
    public async Task Retrieve_Built_SearchesInTwoStagesIsServedAndIsRated()
    {
        var report = Path.Combine(host.Folder, "report.json");
        host.Run("retrieve", "build", file, "--report", report).Succeeded();
        Assert.Equal((int)HostProcess.Json(report)["documents"]!, (int)HostProcess.Json(report)["put"]!);

        var folder = Path.Combine(host.Folder, "runs", "retrieval", "tiny");
        var mined = File.ReadLines(Path.Combine(folder, "hard-negatives.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Contains(mined, line => line["right"]!.AsArray().Count > 0 && line["wrong"]!.AsArray().Count > 0);
        // Each fold's queries were mined by towers that had not learnt from it.
        Assert.Equal([0, 1], Directory.GetDirectories(Path.Combine(host.Folder, "runs"), "dual-tower*").Select(run => HostProcess.Json(Path.Combine(run, "project.json"))["data"]!)
            .Where(data => (int?)data["folds"] == 2).Select(data => (int)data["fold"]!).Order());
        Assert.Single(Directory.GetDirectories(Path.Combine(folder, "index"))); // the folds' have served their turn
        // The reranker reads the vectors of the towers that it stands behind, and leaves them as they are.
        var record = HostProcess.Json(Path.Combine(host.LatestRun(), "project.json"));
        Assert.EndsWith(File.ReadAllText(Path.Combine(folder, "encoder")).Trim(), (string)record["graph"]!["tower"]!["from"]!, StringComparison.Ordinal);

        var lines = host.Run("retrieve", "search", file, "a young dog", "--top-k", "3", "--json", "--report", report).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal([1, 2, 3], lines.Select(line => (int)line["rank"]!));
        Assert.True(JsonNode.DeepEquals(new JsonArray([.. lines.Select(line => line.DeepClone())]), JsonNode.Parse(File.ReadAllText(report))));
        Assert.All(lines, line => Assert.InRange((int)line["firstRank"]!, 1, 10));
        Assert.Equal(lines.Select(line => (double)line["score"]!).OrderDescending(), lines.Select(line => (double)line["score"]!));
        Assert.Matches(@"^\[1\] n\d{8}  \(.*, before \[\d+\]\)\n", host.Run("retrieve", "search", file, "a young dog").Succeeded().Output);

        host.Run("retrieve", "evaluate", file, "--report", report).Succeeded();
        var figures = HostProcess.Json(report);
        foreach (var name in new[] { "bm25Ndcg10", "denseNdcg10", "hybridNdcg10", "rerankNdcg10", "hybridRerankNdcg10" }) Assert.InRange((double)figures[name]!, 0.01, 1);
        Assert.Equal(["hypernym", "words"], figures["rerankByTask"]!.AsObject().Select(item => item.Key));
        foreach (var name in new[] { "searchP50Ms", "rerankP50Ms", "endToEndP50Ms", "chunksPerSecond" }) Assert.True((double)figures[name]! > 0, name);
        Assert.Equal(1, (double)figures["indexRecall"]!);

        await ServedAsync();

        // Built again, nothing is trained and nothing put; behind other towers the reranker is another.
        var trained = File.ReadAllText(Path.Combine(folder, "reranker"));
        Assert.Contains("0 put", host.Run("retrieve", "build", file).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(trained, File.ReadAllText(Path.Combine(folder, "reranker")));
        File.WriteAllText(Path.Combine(folder, "reranker"), "some\nother\n");
        var stale = host.Run("retrieve", "search", file, "dog");
        Assert.Equal(2, stale.ExitCode);
        Assert.Contains("the reranker has not been trained behind these towers", stale.Output + stale.Error, StringComparison.Ordinal);
    }

    // Reranks, and searches a vector store with both stages.
    private async Task ServedAsync()
    {
        var settings = HostProcess.Json(host.HostFile);
        settings["server"] = new JsonObject { ["retrieval"] = file };
        File.WriteAllText(host.HostFile, settings.ToJsonString());
        host.Run(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(1), "--set", "evaluate=[]"]).Succeeded();
        var (process, client) = await ServedPocket.StartAsync(host, "pocket");
        using (client)
        using (process)
        {
            try
            {
                var ranked = await PostAsync(client, "/v1/rerank", new { query = "a young dog", documents = new[] { "a boat", "a dog that is young", "the sea" } });
                Assert.Equal("reranker.cross-encoder", (string)ranked["model"]!);
                Assert.Equal([0, 1, 2], ranked["results"]!.AsArray().Select(item => (int)item!["index"]!).Order());
                var store = await PostAsync(client, "/v1/vector_stores", new { name = "animals" });
                Assert.Equal("reranker.cross-encoder", (string)store["retrieval"]!["reranker"]!);
            }
            finally
            {
                await ServedPocket.StopAsync(process);
            }
        }
    }

    private static async Task<JsonNode> PostAsync(HttpClient client, string path, object body)
    {
        var response = await client.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    [Fact]
    public void Retrieve_Pictures_AreFoundByWordsAndByPictures()
    {
        var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip };
        var towers = JsonNode.Parse(File.ReadAllText(HostProcess.Project("fusion/dual-tower.json")), documentOptions: options)!.AsObject();
        towers["data"]!["settings"] = new JsonObject { ["train"] = 64, ["test"] = 8, ["validation"] = 8, ["compositional"] = 8 };
        (towers["stages"]![0]!["steps"], towers["stages"]![0]!["batch"], towers["evaluate"]) = (2, 8, new JsonArray());
        Write("towers.json", towers.ToJsonString());
        var folder = Directory.CreateDirectory(Path.Combine(host.Folder, "pictures")).FullName;
        foreach (var (name, picture) in Coloured) File.WriteAllBytes(Path.Combine(folder, $"{name}.png"), Convert.FromBase64String(picture));
        File.WriteAllText(Path.Combine(folder, "torn.png"), "no picture");
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "a wall in red");
        var pictures = Write("pictures.json", """{ "name": "pictures", "encoder": "towers.json", "documents": ["pictures"], "negatives": { "queries": 0 } }""");

        var built = host.Run("retrieve", "build", pictures).Succeeded().Output;
        Assert.Contains("index: 4 documents in 4 chunks", built, StringComparison.Ordinal);
        Assert.Contains("left out: torn.png: ", built, StringComparison.Ordinal);

        string[] Found(params string[] query) => [.. host.Run(["retrieve", "search", pictures, .. query, "--json"]).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (string)JsonNode.Parse(line)!["document"]!)];
        Assert.Equal(4, Found("a red square").Length);
        Assert.Equal("blue_sky.png", Found("--image", Path.Combine(folder, "blue_sky.png"))[0]);
        Assert.Equal(["notes.txt"], Found("--image", Path.Combine(folder, "red_wall.png"), "--filter", "type=txt"));
        foreach (var (query, reason) in new[] { (Path.Combine(folder, "none.png"), "there is no such file"), (Path.Combine(folder, "notes.txt"), "is no picture that is read"), (Path.Combine(folder, "torn.png"), "torn.png: ") })
        {
            var refused = host.Run("retrieve", "search", pictures, "--image", query);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains(reason, refused.Output + refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(2, host.Run("retrieve", "search", pictures).ExitCode);
    }

    [Fact]
    public void Retrieve_NotBuilt_SaysHow()
    {
        var outcome = host.Run("retrieve", "search", file, "dog");

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("has not been built; build it with 'pluginhost retrieve build", outcome.Output + outcome.Error, StringComparison.Ordinal);
    }

    private void Small(string project, string? cross = null)
    {
        var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip };
        var root = JsonNode.Parse(File.ReadAllText(HostProcess.Project($"retrieval/{project}")), documentOptions: options)!.AsObject();
        var settings = root["data"]!["settings"]?.DeepClone().AsObject() ?? [];
        settings["folder"] = Path.Combine(HostProcess.Root, "plugins", "Source.WordNet", "sample");
        root["data"]!["settings"] = settings;
        root["data"]!["tokenizer"]!["settings"]!["vocabulary"] = 400;
        root["graph"]!["tower"]!["settings"] = new JsonObject { ["width"] = 16, ["hidden"] = 8 };
        if (cross is not null) root["graph"]!["cross"]!["settings"] = JsonNode.Parse($"{{{cross}}}");
        (root["stages"]![0]!["steps"], root["stages"]![0]!["batch"]) = (3, 4);
        Write(project, root.ToJsonString());
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(host.Folder, name);
        File.WriteAllText(path, content);
        return path;
    }
}
