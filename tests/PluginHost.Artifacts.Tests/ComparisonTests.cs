using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PluginHost.Artifacts.Comparison;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Tests;

public sealed class ComparisonTests : IDisposable
{
    private readonly string artifacts = Directory.CreateTempSubdirectory("comparison").FullName;

    public void Dispose() => Directory.Delete(artifacts, true);

    private static JsonObject Record(string status = "finished") => JsonNode.Parse($$"""
        {
          "name": "pocket-1", "status": "{{status}}", "seed": 3, "parameters": 1000, "peakMb": 512.5,
          "stages": [
            { "name": "a", "seconds": 10, "tokensPerSecond": 100 }, { "name": "b", "seconds": 30, "tokensPerSecond": 200 }
          ],
          "evaluations": [
            { "metric": "recall@1", "split": "train", "value": 0.9, "blind": 0.1, "spread": null },
            { "metric": "accuracy", "split": "test", "value": 0.6, "blind": 0.33, "spread": 0.02 },
            { "metric": "accuracy:colour", "split": "test", "value": 0.7, "blind": 0.14, "spread": null },
            { "metric": "accuracy:colour", "split": "other", "value": 0.1, "blind": 0.14, "spread": null }
          ],
          "project": { "name": "pocket" }
        }
        """)!.AsObject();

    private RunFolder Run(JsonObject? record)
    {
        var run = RunFolder.Create(artifacts, "pocket", DateTimeOffset.UnixEpoch, "{}");
        if (record is not null) run.WriteRecord(record);
        return run;
    }

    [Fact]
    public void Row_OfAFinishedRun_HasItsFigures()
    {
        var row = Assert.Single(StageRows.Of(Run(Record()), null));

        Assert.Equal(("pocket", "accuracy", "test"), (row.Project, row.Metric, row.Split));
        Assert.Equal((0.6, 0.33, 0.02), (row.Accuracy, row.Blind, row.Spread));
        Assert.Equal((175.0, 40.0, 512.5, 1000L), (row.TokensPerSecond, row.Seconds, row.PeakMb, row.Parameters)); // 7,000 tokens in 40 s
        Assert.Equal((0.7, 0.14), row.Tasks["colour"]);
        Assert.Null(row.Error);
    }

    [Fact]
    public void Rows_OfStagesRatedByThemselves_AreTheirs()
    {
        var record = Record();
        var stage = record["stages"]![1]!.AsObject();
        (stage["trainableParameters"], stage["totalParameters"], stage["optimizerAndGradientMb"], stage["peakMb"]) = (40, 1040, 0.5, 300.0);
        stage["evaluations"] = JsonNode.Parse("""[{ "metric": "accuracy", "split": "test", "value": 0.5, "blind": 0.3, "spread": null }]""");

        var row = Assert.Single(StageRows.Of(Run(record), null));

        Assert.Equal(("pocket/b", 0.5, 300.0, 1040L, 40L), (row.Project, row.Accuracy, row.PeakMb, row.Parameters, row.Trained));
        Assert.Equal((30.0, 0.5), (row.Seconds, row.OptimizerAndGradientMb));
        Assert.Equal("pocket", Assert.Single(StageRows.Of(Run(Record()), null)).Project);
    }

    [Fact]
    public void Row_MetricAskedFor_IsComparedByIt()
    {
        Assert.Equal(0.9, Assert.Single(StageRows.Of(Run(Record()), "recall@1")).Accuracy);
        Assert.Equal("the project has no metric 'bleu'; it has recall@1, accuracy, accuracy:colour", Assert.Single(StageRows.Of(Run(Record()), "bleu")).Error);
    }

    [Fact]
    public void Row_OfAnUnfinishedRun_SaysHowToGoOn()
    {
        var training = Assert.Single(StageRows.Of(Run(Record("training")), null));

        Assert.Equal($"run '{training.Run}' is not finished (its status is 'training'); 'pluginhost run --resume {training.Run}' goes on with it", training.Error);
        Assert.Null(training.Accuracy);
        Assert.EndsWith("it has no record", Assert.Single(StageRows.Of(Run(null), null)).Error);
    }

    [Fact]
    public void Row_RecordIsNoJson_NamesTheFile()
    {
        var run = Run(null);
        File.WriteAllText(run.Record, "{");

        Assert.StartsWith($"{run.Record}: this is no run record", Assert.Throws<UserErrorException>(() => StageRows.Of(run, null)).Message);
    }

    [Fact]
    public void Row_EvaluatedAfterTraining_HasWhatTheRecordLacks()
    {
        var run = Run(Record());
        File.WriteAllText(run.Evaluation, """
            { "evaluations": [{ "metric": "accuracy", "split": "test", "value": 0.1, "blind": 0.1, "spread": null }, { "metric": "bleu", "split": "test", "value": 30, "blind": 2, "spread": null }] }
            """);

        Assert.Equal((30.0, 2.0), (Assert.Single(StageRows.Of(run, "bleu")).Accuracy, Assert.Single(StageRows.Of(run, "bleu")).Blind));
        Assert.Equal(0.6, Assert.Single(StageRows.Of(run, null)).Accuracy);
        File.WriteAllText(run.Evaluation, "{");
        Assert.StartsWith($"{run.Evaluation}: this is no evaluation", Assert.Throws<UserErrorException>(() => StageRows.Of(run, null)).Message);
    }

    [Fact]
    public void Page_RowsAndAFailure_ShowsThemEscapedWithTwoPlots()
    {
        var page = ComparisonPage.Render([ComparisonRow.Of("a<b", Record(), null), new ComparisonRow("broken") { Error = "no plugin 'x'" }], []);

        Assert.Contains("a&lt;b", page);
        Assert.Contains("no plugin &#39;x&#39;", page);
        Assert.Equal(2, page.Split("<svg").Length - 1);
        Assert.Contains("0.700 (0.140)", page);
        var ids = Regex.Matches(page, "id=\"([^\"]+)\"").Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(ids);
        Assert.Equal(ids.Distinct(), ids);
        Assert.Subset(ids.ToHashSet(), Regex.Matches(page, @"url\(#([^)]+)\)").Select(match => match.Groups[1].Value).ToHashSet());
        Assert.DoesNotContain("<svg", ComparisonPage.Render([new ComparisonRow("broken") { Error = "e" }], []));
    }

    [Fact]
    public void Json_EveryRow_HasTheSameKeys()
    {
        var rows = ComparisonRow.ToJson([ComparisonRow.Of("a", Record(), null), new ComparisonRow("broken") { Error = "e" }])["rows"]!.AsArray();

        Assert.Equal(rows[0]!.AsObject().Select(item => item.Key), rows[1]!.AsObject().Select(item => item.Key));
        foreach (var key in new[] { "project", "accuracy", "blind", "tokensPerSecond", "peakMb" }) Assert.NotNull(rows[0]![key]);
    }
}
