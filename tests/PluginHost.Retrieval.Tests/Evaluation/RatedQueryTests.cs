using PluginHost.Retrieval.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Retrieval.Tests.Evaluation;

public class RatedQueryTests
{
    private static readonly ListedSamples Source = new(new()
    {
        ["test"] =
        [
            new Sample("1") { Turns = [new Turn("below", "dog", "pug") { AlsoRight = ["pug", "cur"] }, new Turn("below", "dog", "cur") { AlsoRight = ["pug", "cur"] }, new Turn("words", "dog", "animal")] },
            new Sample("2") { Turns = [new Turn("words", "cat", "animal")] },
            new Sample("3") { Turns = [new Turn("words", "cow", "animal")] },
        ],
    });

    [Fact]
    public void Of_TurnsOfOnePrompt_AreOneQueryWithAllAnswers()
    {
        var query = RatedQuery.Of(Source, "test", ["below"], 10).Single();

        Assert.Equal(("below", "dog"), (query.Task, query.Text));
        Assert.Equal(["cur", "pug"], query.Right.Order());
    }

    [Fact]
    public void Of_ALimit_IsOneOfEachTask() => Assert.Equal(["below dog", "words dog", "words cat"], RatedQuery.Of(Source, "test", [], 2).Select(query => $"{query.Task} {query.Text}"));

    [Fact]
    public void Of_APattern_MatchesTasks() => Assert.Equal(3, RatedQuery.Of(Source, "test", ["w*"], 10).Count);

    [Fact]
    public void Of_AnUnknownSplitOrTask_IsNone()
    {
        Assert.Empty(RatedQuery.Of(Source, "validation", [], 10));
        Assert.Empty(RatedQuery.Of(Source, "test", ["above"], 10));
    }
}
