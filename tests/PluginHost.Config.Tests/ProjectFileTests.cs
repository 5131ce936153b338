using PluginHost.Config.Json;

namespace PluginHost.Config.Tests;

public sealed class ProjectFileTests : IDisposable
{
    private const string Minimal = """
        {
          // comments and trailing commas are allowed
          "data": "source.scenes",
          "graph": { "image": { "use": "encoder.vit", "in": { "pixels": "sample.image" } }, },
          "stages": [ { "name": "one", "steps": 5, "objectives": { "next": "objective.next-token" } } ],
          "evaluate": [ "metric.bleu" ],
        }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("pluginhost-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ProjectConfig Read(string json, params string[] overrides)
    {
        var path = Path.Combine(folder, "p.json");
        File.WriteAllText(path, json);
        return ProjectFile.Read(path, overrides);
    }

    private string ErrorOf(string json, params string[] overrides) => Assert.Throws<ConfigException>(() => Read(json, overrides)).Message;

    [Fact]
    public void Read_PlainStrings_AreUses()
    {
        var project = Read(Minimal);

        Assert.Equal("p", project.Name);
        Assert.Equal("source.scenes", project.Data.Sources.Single().Use.Id);
        Assert.Equal("objective.next-token", project.Stages[0].Objectives[0].Use.Id);
        Assert.Equal(("metric.bleu", "metric.bleu"), (project.Evaluate[0].Metric.Name, project.Evaluate[0].Metric.Use.Id));
        Assert.Equal(["test"], project.Evaluate[0].Splits);
        Assert.Equal(new Wire("pixels", "sample.image", new JsonLocation("p.json", 4, 65, "$.graph.image.in.pixels")), project.Graph[0].In[0]);
    }

    [Fact]
    public void Read_EverySection_LandsInItsRecord()
    {
        var project = Read("""
            {
              "$schema": "project.schema.json", "name": "full", "seed": 9,
              "data": {
                "use": "source.scenes", "settings": { "train": 10 }, "tokenizer": "tokenizer.byte-bpe", "media": ["media.wav"],
                "filters": ["filter.a", ["filter.b", { "use": "filter.c", "settings": { "x": 1 } }]], "transforms": ["transform.a", { "use": "transform.b", "chance": 0.25 }],
                "image": { "size": 48 }, "audio": { "rate": 16000, "seconds": 2.5 }, "video": { "size": 64, "frames": 12, "rate": 2.5 }, "text": { "length": 99, "languages": ["fr"] }
              },
              "graph": { "image": { "use": "encoder.vit", "settings": { "width": 8 } } },
              "stages": [ {
                "name": "s", "steps": 1, "batch": 2, "accumulate": 3, "parallel": 2, "learningRate": 0.1, "warmup": 4, "finalRate": 0.2, "weightDecay": 0.3, "clip": 0.4,
                "tasks": ["caption.*"], "turns": 5, "candidates": 6, "validateEvery": 6, "checkpointEvery": 7, "keepCheckpoints": 8, "ema": 0.99,
                "freeze": ["image.*"], "groups": [{ "match": "decoder.*", "learningRate": 0.5 }], "objectives": { "o": { "use": "objective.x", "weight": 0.5 } }
              } ],
              "evaluate": [ { "use": "metric.x", "name": "n", "splits": ["train"], "tasks": ["a"], "language": "zh", "require": ["audio"], "limit": 8, "label": "l" } ]
            }
            """);

        Assert.Equal(("full", 9L), (project.Name, project.Seed));
        Assert.Equal((48, 16000, 2.5, 99), (project.Data.ImageSize, project.Data.AudioRate, project.Data.AudioSeconds, project.Data.TextLength));
        Assert.Equal((64, 12, 2.5), (project.Data.VideoSize, project.Data.VideoFrames, project.Data.VideoRate));
        Assert.Equal(("tokenizer.byte-bpe", "media.wav", "fr"), (project.Data.Tokenizer!.Id, project.Data.Media[0].Id, project.Data.Languages[0]));
        Assert.Equal([["filter.a"], ["filter.b", "filter.c"]], project.Data.Filters.Select(round => round.Select(use => use.Id)));
        Assert.Equal([("transform.a", 1.0), ("transform.b", 0.25)], project.Data.Transforms.Select(item => (item.Use.Id, item.Chance)));
        var stage = project.Stages[0];
        Assert.Equal((1, 2, 3, 0.1, 4, 0.2, 0.3, 0.4, 5), (stage.Steps, stage.Batch, stage.Accumulate, stage.LearningRate, stage.Warmup, stage.FinalRate, stage.WeightDecay, stage.Clip, stage.Turns));
        Assert.Equal((2, 6, 6, 7, 0.5), (stage.Parallel, stage.Candidates, stage.ValidateEvery, stage.CheckpointEvery, stage.Objectives[0].Weight));
        Assert.Equal((8, 0.99, "image.*"), (stage.KeepCheckpoints, stage.Ema, stage.Freeze[0].Text));
        Assert.Equal(("decoder.*", 0.5, (double?)null), (stage.Groups[0].Match.Text, stage.Groups[0].LearningRate, stage.Groups[0].WeightDecay));
        var evaluation = project.Evaluate[0];
        Assert.Equal(("n", "zh", 8, "l", "train", "a", "audio"), (evaluation.Metric.Name, evaluation.Language, evaluation.Limit, evaluation.Label, evaluation.Splits[0], evaluation.Tasks[0], evaluation.Require[0]));
    }

    [Fact]
    public void Read_FoldThatIsNone_IsRefused()
    {
        Assert.Equal((3, 2), Read("""{ "data": { "use": "source.a", "folds": 3, "fold": 2 }, "graph": {} }""").Data is { } data ? (data.Folds, data.Fold) : default);

        Assert.Contains("'fold' is 3, but there are 3 'folds': it is 2 at most", Assert.Throws<ConfigException>(() => Read("""{ "data": { "use": "source.a", "folds": 3, "fold": 3 }, "graph": {} }""")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Mix_HasSourcesWithWeights()
    {
        var data = Read("""{ "data": { "mix": ["source.a", { "use": "source.b", "settings": { "x": 1 }, "weight": 3 }], "workers": 4, "decodeSeconds": 2.5, "text": { "bucket": 16 } }, "graph": {} }""").Data;

        Assert.Equal([("source.a", 1), ("source.b", 3)], data.Sources.Select(source => (source.Use.Id, source.Weight)));
        Assert.Equal((4, 2.5, 16), (data.Workers, data.DecodeSeconds, data.TextBucket));
    }

    [Fact]
    public void Read_Overrides_ReplaceAndCreate()
    {
        var project = Read(Minimal, "stages.0.steps=30", "graph.image.settings.width=12", "graph.image.use=encoder.other", "evaluate.0.limit=4", "data.text.languages=[\"en\", \"zh\"]", "name=other");

        Assert.Equal(30, project.Stages[0].Steps);
        Assert.Equal("12", project.Graph[0].Use.Settings!.Find("width")!.Text);
        Assert.Equal("encoder.other", project.Graph[0].Use.Id);
        Assert.Equal("--set graph.image.use=encoder.other", project.Graph[0].Use.Location.ToString());
        Assert.Equal(("metric.bleu", 4), (project.Evaluate[0].Metric.Use.Id, project.Evaluate[0].Limit));
        Assert.Equal(["en", "zh"], project.Data.Languages);
        Assert.Equal("other", project.Name);
        Assert.Equal("30", project.Source.Find("stages")!.Items[0].Find("steps")!.Text);
    }

    [Theory]
    [InlineData("stages.3.steps=1", "--set stages.3.steps=1: '3' is no item of 'stages': its items are 0 to 0")]
    [InlineData("stages.0.steps.x=1", "--set stages.0.steps.x=1: 'stages.0.steps' is 5, so it has no 'x'")]
    [InlineData("nonsense", "--set nonsense: an override is a path and a value, such as graph.fusion.use=fusion.late")]
    [InlineData("stages.0.stesp=1", "--set stages.0.stesp=1: unknown key 'stesp' of a stage; did you mean 'steps'?")]
    [InlineData("stages.0.batch=0", "--set stages.0.batch=0: 'batch' is 0, outside its range 1 to 65536")]
    [InlineData("stages.0.batch=many", "--set stages.0.batch=many: 'batch' is a whole number, not the text \"many\"")]
    [InlineData("data.audio.seconds=0", "--set data.audio.seconds=0: 'seconds' is 0, outside its range 0.1 to 30")]
    [InlineData("data.text.languages=[]", "--set data.text.languages=[]: 'languages' needs at least one language, such as \"en\"")]
    [InlineData("evaluate.0.require=[\"vidoe\"]", "--set evaluate.0.require=[\"vidoe\"]: 'vidoe' is no modality that can be required; did you mean 'video'?")]
    [InlineData("graph.image.in.pixels=image", "--set graph.image.in.pixels=image: an input is wired to 'node.output', such as \"image.tokens\" or \"sample.image\", not to the text \"image\"")]
    [InlineData("stages.0.parallel=2", "p.json(5,15): $.stages[0]: stage 'one' cannot run 2 micro-batches at once ('parallel') when a step has 1 ('accumulate')")]
    [InlineData("stages.0.objectives={}", "p.json(5,15): $.stages[0]: stage 'one' needs 'objectives' with at least one objective")]
    [InlineData("stages.0.candidates=1", "--set stages.0.candidates=1: 'candidates' is 1, outside its range 2 to 1024")]
    [InlineData("stages.0.keepCheckpoints=0", "--set stages.0.keepCheckpoints=0: 'keepCheckpoints' is 0, outside its range 1 to 1000")]
    [InlineData("stages.0.freeze=[3]", "--set stages.0.freeze=[3]: 'freeze' names parameters, such as \"decoder.*\"; this is 3")]
    [InlineData("stages.0.groups=[{}]", "--set stages.0.groups=[{}]: a parameter group needs 'match'")]
    [InlineData("stages.0.groups=[{\"match\":\"a.*\",\"learningrate\":1}]", "--set stages.0.groups=[{\"match\":\"a.*\",\"learningrate\":1}]: unknown key 'learningrate' of a parameter group; did you mean 'learningRate'?")]
    [InlineData("stages.0.precision=fp15", "--set stages.0.precision=fp15: 'precision' is \"fp15\"; it can be fp32, bf16, fp16, fp8")]
    [InlineData("stages.0.lossScale={\"initial\":0}", "--set stages.0.lossScale={\"initial\":0}: 'initial' is 0, outside its range 1 to 1099511627776")]
    [InlineData("stages.0.taskWeights={\"caption.*\":0}", "--set stages.0.taskWeights={\"caption.*\":0}: 'caption.*' is 0, outside its range 0.001 to 1000")]
    [InlineData("stages.0.taskWeights=[]", "--set stages.0.taskWeights=[]: 'taskWeights' is an object in { }, not a list")]
    [InlineData("graph.image.checkpoint=3", "--set graph.image.checkpoint=3: 'checkpoint' is true or false, not 3")]
    [InlineData("name=a/b", "--set name=a/b: 'a/b' names folders: letters, digits, '-', '_' and '.' only")]
    [InlineData("graph.image.settings=3", "--set graph.image.settings=3: 'settings' is an object in { }, not 3")]
    public void Read_Mistake_SaysPlaceAndRule(string assignment, string message) => Assert.Equal(message, ErrorOf(Minimal, assignment));

    [Fact]
    public void Read_SeveralMistakes_AreOneMessageWithALineEach() =>
        Assert.Equal(3, ErrorOf(Minimal, "stages.0.batch=0", "data.image.size=1", "seeed=2").Split('\n').Length);

    [Fact]
    public void Read_TwoStagesOfOneName_IsAnError() =>
        Assert.Contains("2 stages are named 's'", ErrorOf("""{ "data": "source.x", "stages": [{ "name": "s", "objectives": { "a": "b.c" } }, { "name": "s", "objectives": { "a": "b.c" } }] }"""), StringComparison.Ordinal);

    [Fact]
    public void Read_MissingFile_NamesTheNearest()
    {
        Read(Minimal);

        var error = Assert.Throws<ConfigException>(() => ProjectFile.Read(Path.Combine(folder, "q.json"), []));

        Assert.EndsWith("q.json: there is no such project file; did you mean 'p.json'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ShippedProjects_AreReadable()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(root.FullName, "host-config"))) root = root.Parent!;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(root.FullName, "host-config"), "*.json").Where(file => Path.GetFileName(file) is not ("host.json" or "retrieval.json")))
            Assert.NotEmpty(ProjectFile.Read(file, []).Graph);
    }
}
