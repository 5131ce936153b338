using System.Text.Json.Nodes;
using PluginHost.Retrieval.Evaluation;

namespace PluginHost.Retrieval.Tests;

public sealed class NegativeMiningTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("mining").FullName;

    private string Mined => Path.Combine(folder, "deep", "negatives.jsonl");

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void Write_WhatIsFound_IsRightOrWrong()
    {
        Write([Query("q", "b"), Query("p", "a", "c", "z")], new FixedRetriever("a", "b", "c", "d"), 10);

        Assert.Equal(["q: b | a c d", "p: a c | b d"], Lines());
    }

    [Fact]
    public void Write_OnePromptOfTwoSamples_HasTheAnswersOfBoth()
    {
        Write([Query("q", "a"), Query("q", "b")], new FixedRetriever("a", "b", "c"), 10);

        Assert.Equal(["q: a b | c"], Lines());
    }

    [Fact]
    public void Write_MoreThanAskedFor_HasTheFirst()
    {
        Write([Query("q", "a")], new FixedRetriever("a", "b", "c", "d", "e"), 3);

        Assert.Equal(["q: a | b c"], Lines());
    }

    [Fact]
    public void Write_NothingFound_SaysSo()
    {
        Write([Query("q", "a")], new FixedRetriever(), 10);

        Assert.Equal(["q:  | "], Lines());
    }

    [Fact]
    public void Write_Stopped_LeavesNoFile()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.Throws<OperationCanceledException>(() => NegativeMining.Write(Mined, [Query("q", "a")], [new MiningPart([Query("q", "a")], new FixedRetriever("b"))], 1, _ => { }, stop.Token));
        Assert.False(File.Exists(Mined));
    }

    [Fact]
    public void Write_InParts_AsksEachPromptOnceAndKnowsAllAnswers()
    {
        RatedQuery[] first = [Query("q", "a"), Query("p", "b")];
        RatedQuery[] second = [Query("q", "b"), Query("r", "a")];

        NegativeMining.Write(Mined, [.. first, .. second], [new MiningPart(first, new FixedRetriever("a", "b")), new MiningPart(second, new FixedRetriever("b", "c"))], 10, _ => { }, CancellationToken.None);

        Assert.Equal(["q: a b | ", "p: b | a", "r:  | b c"], Lines());
    }

    private static RatedQuery Query(string text, params string[] right) => new("task", text, right.ToHashSet());

    private void Write(RatedQuery[] queries, FixedRetriever retriever, int each) => NegativeMining.Write(Mined, queries, [new MiningPart(queries, retriever)], each, _ => { }, CancellationToken.None);

    private IEnumerable<string> Lines() =>
        File.ReadLines(Mined).Select(line => JsonNode.Parse(line)!).Select(line => $"{line["prompt"]}: {Texts(line["right"])} | {Texts(line["wrong"])}");

    private static string Texts(JsonNode? texts) => string.Join(' ', texts!.AsArray().Select(text => (string)text!));
}
