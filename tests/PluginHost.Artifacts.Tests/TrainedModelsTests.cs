using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Artifacts.Models;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Tests;

/// <summary>Runs of the fixture's tiny model, whose numbers can be computed by hand.</summary>
public sealed class TrainedModelsTests : IDisposable
{
    private const string Near = """{ "name": "near", "steps": 1, "batch": 2, "objectives": { "near": { "use": "objective.near", "in": { "query": "image.pooled", "key": "text.pooled" } } } }""";
    private const string Likely = """{ "name": "likely", "steps": 1, "batch": 2, "objectives": { "likely": { "use": "objective.likely", "in": { "logits": "decoder.logits" } } } }""";
    private const string Towers = """ "image": { "use": "encoder.grey", "in": { "pixels": "sample.image" } }, "text": { "use": "encoder.letters", "in": { "ids": "sample.caption" } } """;
    private const string Decoder = """ "decoder": { "use": "decoder.bigram", "in": { "ids": "sample.text" } } """;

    private readonly string folder = Directory.CreateTempSubdirectory("models").FullName;
    private readonly PluginCatalog catalog = PluginCatalog.Discover(
        [Path.Combine(typeof(TrainedModelsTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Fixtures").Value!, "models")]);
    private readonly TrainedModels models;

    public TrainedModelsTests()
    {
        Assert.Empty(catalog.Installed.Faults);
        models = new TrainedModels(catalog, folder, NullLoggerFactory.Instance, default);
        Write("both", $"{Towers}, {Decoder}", $"{Near}, {Likely}");
    }

    public void Dispose()
    {
        models.Dispose();
        catalog.Dispose();
        Directory.Delete(folder, true);
    }

    [Fact]
    public async Task Embedder_OfTextsAndPictures_GivesTheTowersVectorsAtLengthOne()
    {
        var generator = Embedder(models);
        var embedded = await generator.GenerateAsync([new TextContent("ab"), Grey(51), new TextContent("abc"), Grey(204)]);

        using var scope = NewDisposeScope();
        var (tensors, _) = SafeTensors.Read(Path.Combine(folder, "both", "model.safetensors"));
        var (rows, map) = (tensors["text.rows"], tensors["image.map"]);
        // A caption is <bos> text <eos>: tokens 1, letters from 7 on, 2.
        Same(rows[tensor(new long[] { 1, 7, 8, 2 })].sum([0]), embedded[0]);
        Same(rows[tensor(new long[] { 1, 7, 8, 9, 2 })].sum([0]), embedded[2]);
        Same(map[0] * 0.2 + map[1], embedded[1]);
        Same(map[0] * 0.8 + map[1], embedded[3]);

        static void Same(Tensor expected, Embedding<float> embedding)
        {
            var numbers = nn.functional.normalize(expected, 2, 0).data<float>().ToArray();
            Assert.All(numbers.Zip(embedding.Vector.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
    }

    [Fact]
    public async Task Embedder_OfWhatItCannotEmbed_SaysWhatItCan()
    {
        var generator = Embedder(models);
        var sound = await Assert.ThrowsAsync<UserErrorException>(() => generator.GenerateAsync([new DataContent(new byte[] { 1 }, "audio/wav")]));
        Assert.Equal("the run 'both' has no contrastive objective between text and audio, so it cannot embed audio; it embeds image and text", sound.Message);
        var paper = await Assert.ThrowsAsync<UserErrorException>(() => generator.GenerateAsync([new DataContent(new byte[] { 1 }, "application/pdf")]));
        Assert.Equal("the run 'both' cannot embed 'application/pdf'; it embeds image and text", paper.Message);
        Assert.Equal("image/png: is damaged", (await Assert.ThrowsAsync<BadSampleException>(() => generator.GenerateAsync([Grey(255)]))).Message);
    }

    [Fact]
    public void Scorer_OfTexts_GivesTheirLogProbabilitiesWhateverTheirNeighbours()
    {
        var scores = Scorer(models).Score([new ScoredText("ab"), new ScoredText("abcdefghijkl", "q"), new ScoredText("")]);

        using var scope = NewDisposeScope();
        var (tensors, _) = SafeTensors.Read(Path.Combine(folder, "both", "model.safetensors"));
        var table = nn.functional.log_softmax(tensors["decoder.table"], 1);
        double Along(params int[] tokens) => tokens.Zip(tokens.Skip(1), (token, next) => (double)table[token, next].item<float>()).Sum();
        // <bos> prompt <answer> text <eos>; what comes after <answer> (3) counts.
        Assert.Equal(Along(3, 7, 8, 2), scores[0].LogLikelihood, 1e-4);
        Assert.Equal(Along([3, .. Enumerable.Range(7, 12), 2]), scores[1].LogLikelihood, 1e-4);
        Assert.Equal(Along(3, 2), scores[2].LogLikelihood, 1e-4);
        Assert.Equal([3, 13, 1], scores.Select(score => score.Tokens));
    }

    [Fact]
    public async Task Dispose_WhileSomebodyHoldsWhatWasSupplied_LetsAllPluginsUnload()
    {
        var held = Use();
        Assert.Throws<ObjectDisposedException>(() => held.Scorer.Score([new ScoredText("ab")]));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => held.Embedder.GenerateAsync([new TextContent("ab")]));

        foreach (var id in new[] { "encoder.grey", "encoder.letters", "decoder.bigram", "tokenizer.letters", "media.bytes", "objective.near" })
        {
            var verdict = await catalog.UnloadAsync(id, TimeSpan.FromSeconds(10));
            Assert.True(verdict.Outcome == UnloadOutcome.Unloaded, $"{id} is {verdict.Outcome}: {verdict.Detail}");
        }
        GC.KeepAlive(held);
    }

    [Fact]
    public void Refusal_OfARunThatCannot_SaysWhyAndWhatElse()
    {
        Write("towers", Towers, Near);
        Write("mute", $"{Towers}, {Decoder}", Likely);
        Write("begun", Towers, Near);
        File.Delete(Path.Combine(folder, "begun", "model.safetensors"));
        Write("strange", Towers.Replace("encoder.grey", "encoder.gray", StringComparison.Ordinal), Near, build: false);

        Assert.Null(models.Refusal(Capability.EmbeddingGenerator, "both"));
        Assert.Null(models.Refusal(Capability.TextScorer, "both"));
        Assert.Null(models.Refusal(Capability.EmbeddingGenerator, Path.Combine(folder, "towers")));
        Assert.Equal("the run 'towers' has no decoder, so it scores no texts; name a run that has one", models.Refusal(Capability.TextScorer, "towers"));
        Assert.StartsWith("the run 'mute' has no contrastive objective between a text encoder and an encoder of a medium", models.Refusal(Capability.EmbeddingGenerator, "mute"), StringComparison.Ordinal);
        Assert.Matches("^the run 'begun' has no weights \\(.*\\); finish it with 'pluginhost run --resume begun', or name another$", models.Refusal(Capability.EmbeddingGenerator, "begun"));
        Assert.StartsWith("There is no run 'bth'", models.Refusal(Capability.EmbeddingGenerator, "bth"), StringComparison.Ordinal);
        var strange = models.Refusal(Capability.EmbeddingGenerator, "strange");
        Assert.StartsWith("the run 'strange' cannot be loaded with the plugins that are installed: ", strange, StringComparison.Ordinal);
        Assert.EndsWith("did you mean 'encoder.grey'?", strange, StringComparison.Ordinal);
    }

    [Fact]
    public void Identity_OfARun_IsItsContentAndNotItsName()
    {
        var identity = models.Identity("both");
        Directory.CreateDirectory(Path.Combine(folder, "copy"));
        foreach (var file in Directory.GetFiles(Path.Combine(folder, "both"))) File.Copy(file, Path.Combine(folder, "copy", Path.GetFileName(file)));
        Assert.Equal(identity, models.Identity("copy"));
        var weights = Path.Combine(folder, "copy", "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Assert.NotEqual(identity, models.Identity("copy"));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private (IEmbeddingGenerator<AIContent, Embedding<float>> Embedder, ITextScorer Scorer) Use()
    {
        using var used = new TrainedModels(catalog, folder, NullLoggerFactory.Instance, default);
        var (embedder, scorer) = (Embedder(used), Scorer(used));
        embedder.GenerateAsync([new TextContent("ab"), Grey(9)]).GetAwaiter().GetResult();
        scorer.Score([new ScoredText("ab")]);
        return (embedder, scorer);
    }

    private static DataContent Grey(byte grey) => new(new[] { grey }, "image/png");

    private static IEmbeddingGenerator<AIContent, Embedding<float>> Embedder(TrainedModels models) =>
        Assert.IsAssignableFrom<IEmbeddingGenerator<AIContent, Embedding<float>>>(models.Supply(new PlannedRequirement(Capability.EmbeddingGenerator, "run", "both"), CPU));

    private static ITextScorer Scorer(TrainedModels models) => Assert.IsAssignableFrom<ITextScorer>(models.Supply(new PlannedRequirement(Capability.TextScorer, "run", "both"), CPU));

    /// <summary>Writes a run with the weights that its graph is built with.</summary>
    private void Write(string name, string graph, string stages, bool build = true)
    {
        var run = new RunFolder(Path.Combine(folder, name));
        Directory.CreateDirectory(run.Path);
        File.WriteAllText(run.Project, $$"""
            { "name": "{{name}}", "data": { "use": "source.gone", "tokenizer": "tokenizer.letters", "image": { "size": 8 }, "text": { "length": 32 } }, "graph": { {{graph}} }, "stages": [{{stages}}] }
            """);
        File.WriteAllText(run.Tokenizer, "{}");
        File.WriteAllText(run.Model, "");
        if (!build) return;
        var plan = GraphPlanner.Plan(ProjectFile.Read(run.Project, []), catalog.Installed);
        using var built = ExecutableGraph.Build(plan, catalog, new GraphSettings(CPU, 1, NullLoggerFactory.Instance, default));
        SafeTensors.Write(run.Model, built.Weights.ToDictionary(weight => weight.Name, weight => weight.Value), new Dictionary<string, string>());
    }
}
