using System.Text.Json.Nodes;
using PluginHost.Retrieval.Evaluation;

namespace PluginHost.Retrieval.Tests;

public sealed class NegativeMiningTests : IDisposable
{
    private static readonly Dictionary<string, string[]> Nothing = [];

    private readonly string folder = Directory.CreateTempSubdirectory("mining").FullName;

    private string Mined => Path.Combine(folder, "deep", "negatives.jsonl");

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void Write_Answers_AreNeverNegatives()
    {
        Write([Query("q", "b"), Query("p", "a", "c")], new FixedRetriever("a", "b", "c", "d"), 10, Nothing);

        Assert.Equal(["q: a c d", "p: b d"], Lines());
    }

    [Fact]
    public void Write_OnePromptOfTwoSamples_SparesTheAnswersOfBoth()
    {
        Write([Query("q", "a"), Query("q", "b")], new FixedRetriever("a", "b", "c"), 10, Nothing);

        Assert.Equal(["q: c"], Lines());
    }

    [Fact]
    public void Write_MoreThanWanted_KeepsTheBest()
    {
        Write([Query("q", "a")], new FixedRetriever("a", "b", "c", "d", "e"), 2, Nothing);

        Assert.Equal(["q: b c"], Lines());
    }

    [Fact]
    public void Write_Earlier_ComeFirstAndOnceAndAreNoAnswers()
    {
        Write([Query("q", "x")], new FixedRetriever("a", "b"), 10, new() { ["q"] = ["z", "x", "b"] });

        Assert.Equal(["q: z b a"], Lines());
    }

    [Fact]
    public void Write_NothingButAnswers_LeavesTheQueryOut()
    {
        Write([Query("q", "a")], new FixedRetriever("a"), 10, Nothing);

        Assert.Empty(Lines());
    }

    [Fact]
    public void Write_Stopped_LeavesNoFile()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.Throws<OperationCanceledException>(() => NegativeMining.Write(Mined, [Query("q", "a")], new FixedRetriever("b"), 1, Nothing, _ => { }, stop.Token));
        Assert.False(File.Exists(Mined));
    }

    [Fact]
    public void Read_WhatWasWritten_IsTheSame()
    {
        Write([Query("ein \"q\" 星", "a")], new FixedRetriever("b\nc", "d"), 10, Nothing);

        Assert.Equal(["b\nc", "d"], NegativeMining.Read(Mined)["ein \"q\" 星"]);
        Assert.Empty(NegativeMining.Read(Path.Combine(folder, "none")));
    }

    private static RatedQuery Query(string text, params string[] right) => new("task", text, right.ToHashSet());

    private void Write(RatedQuery[] queries, FixedRetriever retriever, int each, Dictionary<string, string[]> earlier) =>
        NegativeMining.Write(Mined, queries, retriever, each, earlier, _ => { }, CancellationToken.None);

    private IEnumerable<string> Lines() =>
        File.ReadLines(Mined).Select(line => JsonNode.Parse(line)!).Select(line => $"{line["prompt"]}: {string.Join(' ', line["wrong"]!.AsArray().Select(text => (string)text!))}");
}
