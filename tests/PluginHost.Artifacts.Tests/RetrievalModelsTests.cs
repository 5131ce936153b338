using System.Reflection;
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

/// <summary>Runs that encode queries and passages, or score passages, over the fixture's tiny model.</summary>
public sealed class RetrievalModelsTests : IDisposable
{
    private const string Towers = """ "query": { "use": "encoder.letters", "in": { "ids": "sample.query" } }, "passage": { "use": "encoder.letters", "in": { "ids": "sample.passage" } } """;
    private const string Near = """{ "name": "near", "steps": 1, "batch": 2, "objectives": { "near": { "use": "objective.near", "in": { "query": "query.pooled", "key": "passage.pooled" } } } }""";
    private const string Cross = """ "cross": { "use": "encoder.letters", "in": { "ids": "sample.candidates" } } """;
    private const string Heavy = """{ "name": "rank", "steps": 1, "batch": 2, "objectives": { "rank": { "use": "objective.heavy", "in": { "tokens": "cross.tokens", "candidates": "sample.candidates" } } } }""";

    private readonly string folder = Directory.CreateTempSubdirectory("retrieval").FullName;
    private readonly PluginCatalog catalog = PluginCatalog.Discover(
        [Path.Combine(typeof(RetrievalModelsTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Fixtures").Value!, "models")]);
    private readonly TrainedModels models;

    public RetrievalModelsTests()
    {
        models = new TrainedModels(catalog, folder, NullLoggerFactory.Instance, default);
        Write("towers", Towers, Near);
        Write("cross", Cross, Heavy);
    }

    public void Dispose()
    {
        models.Dispose();
        catalog.Dispose();
        Directory.Delete(folder, true);
    }

    [Fact]
    public void PairSpace_OfAGraph_IsWhatTheContrastiveObjectiveReads()
    {
        var plan = Plan("towers");

        var space = PairSpace.Of(plan)!;

        Assert.Equal(plan.Nodes.Single(node => node.Name == "query").Outputs.Single(output => output.Name == "pooled").Slot, space.Query);
        Assert.Equal(plan.Nodes.Single(node => node.Name == "passage").Outputs.Single(output => output.Name == "pooled").Slot, space.Passage);
        Assert.Null(PairSpace.Of(Plan("cross")));
    }

    [Fact]
    public void Pairs_OfARun_EncodeEachSideWithItsTower()
    {
        var encoder = models.Pairs("towers", CPU);

        using var scope = NewDisposeScope();
        var (tensors, _) = SafeTensors.Read(Path.Combine(folder, "towers", "model.safetensors"));
        Assert.Equal(4, encoder.Width);
        Same(tensors["query.rows"][tensor(new long[] { 7, 8 })].sum([0]), encoder.Encode("ab").ToArray());
        Same(tensors["passage.rows"][tensor(new long[] { 7, 8, 9 })].sum([0]), encoder.Passages([new TextContent("ab"), new TextContent("abc"), new TextContent("")])[1]);
        Assert.All(encoder.Queries([new TextContent("")])[0], number => Assert.Equal(0, number));

        static void Same(Tensor expected, float[] actual) =>
            Assert.All(nn.functional.normalize(expected, 2, 0).data<float>().ToArray().Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Pairs_OfTowersThatReadTexts_RefuseAPicture()
    {
        var encoder = models.Pairs("towers", CPU);

        Assert.False(encoder.ReadsPictures);
        Assert.StartsWith("the towers of the run 'towers' read texts alone", Assert.Throws<UserErrorException>(() => encoder.Queries([new DataContent(new byte[1], "image/png")])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Passages_OfARun_AreScoredByItsRankingObjectiveWhateverTheirNeighbours()
    {
        // More than fit into one row and one batch.
        string[] passages = [.. Enumerable.Range(0, 300).Select(number => new string((char)('a' + number % 26), 1 + number % 3))];

        var scores = models.Passages("cross", CPU).Score("q", passages);

        using var scope = NewDisposeScope();
        var (tensors, _) = SafeTensors.Read(Path.Combine(folder, "cross", "model.safetensors"));
        // <bos> query <answer> passage <eos>
        float Expected(string passage) => tensors["cross.rows"][tensor(new long[] { 1, 'q' - 'a' + 7, 3, 2 }.Concat(passage.Select(letter => (long)letter - 'a' + 7)).ToArray())].select(1, 0).sum().item<float>();
        Assert.All(passages.Zip(scores), pair => Assert.Equal(Expected(pair.First), pair.Second, 1e-4));
        Assert.Empty(models.Passages("cross", CPU).Score("q", []));
    }

    [Fact]
    public void ARunOfAnotherKind_SaysWhatItLacks()
    {
        Assert.StartsWith("the run 'cross' has no contrastive objective (inputs 'query' and 'key') over 'sample.query' and 'sample.passage'", Assert.Throws<UserErrorException>(() => models.Pairs("cross", CPU)).Message, StringComparison.Ordinal);
        Assert.StartsWith("the run 'towers' has no objective that ranks candidates", Assert.Throws<UserErrorException>(() => models.Passages("towers", CPU)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dispose_WhileSomebodyHoldsTheEncoders_EndsThem()
    {
        var used = new TrainedModels(catalog, folder, NullLoggerFactory.Instance, default);
        var (encoder, scorer) = (used.Pairs("towers", CPU), used.Passages("cross", CPU));

        used.Dispose();

        Assert.Throws<ObjectDisposedException>(() => encoder.Encode("a"));
        Assert.Throws<ObjectDisposedException>(() => scorer.Score("a", ["b"]));
    }

    private GraphPlan Plan(string run) => GraphPlanner.Plan(ProjectFile.Read(new RunFolder(Path.Combine(folder, run)).Project, []), catalog.Installed);

    private void Write(string name, string graph, string stages)
    {
        var run = new RunFolder(Path.Combine(folder, name));
        Directory.CreateDirectory(run.Path);
        File.WriteAllText(run.Project, $$"""
            { "name": "{{name}}", "data": { "use": "source.gone", "tokenizer": "tokenizer.letters", "text": { "length": 32 } }, "graph": { {{graph}} }, "stages": [{{stages}}] }
            """);
        File.WriteAllText(run.Tokenizer, "{}");
        using var built = ExecutableGraph.Build(Plan(name), catalog, new GraphSettings(CPU, 1, NullLoggerFactory.Instance, default));
        SafeTensors.Write(run.Model, built.Weights.ToDictionary(weight => weight.Name, weight => weight.Value), new Dictionary<string, string>());
    }
}
