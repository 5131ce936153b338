using System.Formats.Tar;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

/// <summary>A dual tower is trained on a few hundred scenes; then it judges others, of which every tenth has the captions of another.</summary>
public sealed class TrainedModelTests : IDisposable
{
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public void DataBuild_FilteredByATrainedTower_DropsSwappedCaptionsAndNamesTheVersionByItsWeights()
    {
        host.Run("run", Tower()).Succeeded();
        var run = Path.GetFileName(host.LatestRun());
        var scenes = JsonNode.Parse(host.Run("data", "build", Project("scenes", Use("source.scenes", """{ "seed": 99, "train": 400, "validation": 1, "test": 1, "compositional": 0 }""")), "--json").Succeeded().Output)!;
        Swap((string)scenes["folder"]!);

        var built = JsonNode.Parse(host.Run("data", "build", Filtered("filter.alignment", run), "--json").Succeeded().Output)!;

        var judged = File.ReadLines(Path.Combine((string)built["folder"]!, "decisions.jsonl")).Select(line => JsonNode.Parse(line)!)
            .Select(row => (Swapped: ((string)row["id"]!).StartsWith("swapped", StringComparison.Ordinal), Score: (double)row["score"]!, Kept: (bool)row["keep"]!)).ToArray();
        Assert.Equal(400, judged.Length);
        Assert.InRange(judged.Where(row => !row.Swapped).Average(row => row.Score) - judged.Where(row => row.Swapped).Average(row => row.Score), 0.4, 2);
        var dropped = judged.Where(row => !row.Kept).ToArray();
        Assert.InRange(dropped.Count(row => row.Swapped), 32, 40);   // recall 0.8 and more
        Assert.InRange(dropped.Count(row => !row.Swapped), 0, 16);

        // The run under its alias is the same run; other weights under its name are not.
        Assert.False((bool)JsonNode.Parse(host.Run("data", "build", Filtered("filter.alignment", "latest"), "--json").Succeeded().Output)!["built"]!);
        var weights = Path.Combine(host.LatestRun(), "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Assert.NotEqual((string)built["version"]!, (string)JsonNode.Parse(host.Run("data", "build", Filtered("filter.alignment", run), "--json").Succeeded().Output)!["version"]!);

        // What the tower cannot do is refused before anything runs, all at once.
        var refused = host.Run("data", "build", Filtered("filter.alignment", "lates", """, { "use": "filter.perplexity", "settings": { "run": "latest" } }"""));
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("$.data.filters[0].settings.run: 'run' of filter.alignment: There is no run 'lates'", refused.Error, StringComparison.Ordinal);
        Assert.Contains($"$.data.filters[1].settings.run: 'run' of filter.perplexity: the run '{run}' has no decoder, so it scores no texts; name a run that has one", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void DataBuild_FilteredByATrainedDecoder_ScoresTextsByIt()
    {
        host.Run(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(steps: 40), "--set", "stages.1.steps=1", "--set", "evaluate=[]"]).Succeeded();
        string[] texts = ["a red circle above a blue square", "a green star left of a red circle", "zq xjv kkw qpz vvbn mmz qqx wjj"];
        File.WriteAllLines(Path.Combine(host.Folder, "manifest.jsonl"), texts.Select((text, i) => JsonSerializer.Serialize(new { id = $"{i}", text })));

        var built = JsonNode.Parse(host.Run("data", "build", Filtered("filter.perplexity", "latest", extra: """, "threshold": 50, "prompt": "describe the picture." """), "--json").Succeeded().Output)!;

        var scores = File.ReadLines(Path.Combine((string)built["folder"]!, "decisions.jsonl")).Select(line => (double)JsonNode.Parse(line)!["score"]!).ToArray();
        Assert.All(scores, score => Assert.InRange(score, 0.01, 50));
        Assert.True(scores[2] > 1.5 * Math.Max(scores[0], scores[1]), $"mash takes {scores[2]:0.00} bits a character, captions {scores[0]:0.00} and {scores[1]:0.00}");
    }

    private string Tower() => Write("tower", $$"""
        {
          "name": "tower", "data": { {{Data(Use("source.scenes", "{ \"train\": 600, \"validation\": 8, \"test\": 8, \"compositional\": 0 }"))}} },
          "graph": {
            "image": { "use": "encoder.vit", "in": { "pixels": "sample.image" }, "settings": { "width": 64, "layers": 1, "heads": 2, "patch": 16, "stem": true, "stemWidth": 24 } },
            "text":  { "use": "encoder.text-transformer", "in": { "ids": "sample.caption" }, "settings": { "width": 64, "layers": 1, "heads": 2 } }
          },
          "stages": [{ "name": "align", "steps": 150, "batch": 32, "learningRate": 0.001, "warmup": 30, "objectives": { "align": { "use": "objective.contrastive", "in": { "query": "image.pooled", "key": "text.pooled" } } } }]
        }
        """);

    private string Filtered(string filter, string run, string more = "", string extra = "") => Project(
        "filtered", Use("source.manifest", """{ "path": "manifest.jsonl" }""") + $$""", "filters": [{ "use": "{{filter}}", "settings": { "run": "{{run}}"{{extra}} } }{{more}}]""");

    private string Project(string name, string data) => Write(name, $$"""
        { "name": "{{name}}", "data": { {{Data(data)}} }, "graph": { "image": { "use": "encoder.vit", "in": { "pixels": "sample.image" }, "settings": { "width": 32, "layers": 1, "heads": 2, "patch": 16 } } } }
        """);

    private static string Use(string id, string settings) => $"\"use\": \"{id}\", \"settings\": {settings}";

    private static string Data(string data) =>
        $$"""{{data}}, "tokenizer": { "use": "tokenizer.byte-bpe", "settings": { "vocabulary": 640 } }, "image": { "size": 32 }, "text": { "length": 64, "languages": ["en", "zh"] }""";

    private string Write(string name, string text)
    {
        var path = Path.Combine(host.Folder, name + ".json");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Writes a manifest of a version's training scenes, in which every tenth has the captions of the scene five before it.</summary>
    private void Swap(string version)
    {
        var samples = new List<JsonNode>();
        using (var tar = new TarReader(File.OpenRead(Path.Combine(version, "shard-000000.tar"))))
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.Name.EndsWith(".png", StringComparison.Ordinal)) entry.ExtractToFile(Path.Combine(host.Folder, entry.Name), overwrite: true);
                if (entry.Name.EndsWith(".json", StringComparison.Ordinal) && JsonNode.Parse(entry.DataStream!)! is var sample && (string)sample["split"]! == "train")
                {
                    sample["image_path"] = Path.ChangeExtension(entry.Name, ".png");
                    samples.Add(sample);
                }
            }
        File.WriteAllLines(Path.Combine(host.Folder, "manifest.jsonl"), samples.Select((sample, i) =>
        {
            var swapped = i % 10 == 9;
            return new JsonObject { ["id"] = $"{(swapped ? "swapped" : "true")}-{i}", ["text"] = samples[swapped ? i - 5 : i]["texts"]!.DeepClone(), ["image_path"] = sample["image_path"]!.DeepClone() }.ToJsonString();
        }));
    }
}
