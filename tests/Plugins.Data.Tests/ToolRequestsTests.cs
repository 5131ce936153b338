using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Chat;
using PluginHost.Sdk;
using Source.ToolRequests;

namespace Plugins.Data.Tests;

public class ToolRequestsTests
{
    private static readonly ISource Source = new ToolRequests(new ToolRequestsOptions(Train: 500, Held: 60));

    private static IEnumerable<Turn> Calls(string split) => Enumerable.Range(0, Source.Count(split)).SelectMany(index => Source.Read(split, index).Turns).Where(turn => turn.Task == "call");

    [Fact]
    public void Call_InEverySplit_NamesAnOfferedFunctionAndArgumentsOfTheRequest()
    {
        foreach (var turn in Source.Splits.SelectMany(Calls))
        {
            var call = Assert.IsType<FunctionCallContent>(Assert.Single(CallReader.ReadAll(turn.Answer)));
            var tool = Assert.IsType<DeclaredFunction>(Assert.Single(turn.Tools, tool => tool.Name == call.Name));
            Assert.Equal(tool.JsonSchema.GetProperty("required").EnumerateArray().Select(name => name.GetString()), call.Arguments!.Keys);
            Assert.All(call.Arguments.Values, value => Assert.Contains(((JsonElement)value!).ToString(), turn.Prompt, StringComparison.Ordinal));
            Assert.DoesNotContain('{', turn.Prompt);
        }
    }

    [Fact]
    public void Training_HasNeitherTheUnseenFunctionsNorTheWordsThatAskForThem()
    {
        foreach (var turn in Calls(Splits.Train).Concat(Calls(Splits.Validation)))
            foreach (var word in (string[])["rotate", "save", "picture"])
                Assert.DoesNotContain(word, CallText.Tools(turn.Tools) + turn.Prompt, StringComparison.Ordinal);
        Assert.All(Calls("unseen"), turn => Assert.True(turn.Answer.Contains("rotate_figure", StringComparison.Ordinal) || turn.Answer.Contains("save_picture", StringComparison.Ordinal)));
    }

    [Fact]
    public void HeldOut_Requests_OfferAllEightInOtherWordsThanTraining()
    {
        var asked = Calls(Splits.Train).Select(turn => turn.Prompt).ToHashSet();

        Assert.All(Calls(Splits.Test).Concat(Calls("unseen")), turn =>
        {
            Assert.Equal(8, turn.Tools.Count);
            Assert.DoesNotContain(turn.Prompt, asked);
        });
        Assert.Equal(6, Calls(Splits.Test).Select(turn => CallReader.ReadAll(turn.Answer).OfType<FunctionCallContent>().Single().Name).Distinct().Count());
        Assert.Empty(SceneTools.Seen.SelectMany(tool => tool.Wordings).SelectMany(wording => Words.Determiners.Select(determiner => wording.Replace("{det}", determiner, StringComparison.Ordinal))).Intersect(SceneTools.Seen.SelectMany(tool => tool.HeldWordings)));
        var frames = Words.Openers.SelectMany(opener => Words.Closers.Select(closer => $"{opener}{{}}{closer}"));
        Assert.Empty(frames.Intersect(Words.HeldFrames));
    }

    [Fact]
    public void Answer_IsTheResultWithoutAnAgentsMarks()
    {
        var turns = Enumerable.Range(0, Source.Count(Splits.Train)).SelectMany(index => Source.Read(Splits.Train, index).Turns).Where(turn => turn.Task == "answer").ToList();
        var marked = turns.Count(turn => turn.Prompt.EndsWith($"\n{CallText.Result($"<untrusted>{turn.Answer}</untrusted>")}", StringComparison.Ordinal));
        var plain = turns.Count(turn => turn.Prompt.EndsWith($"\n{CallText.Result(turn.Answer)}", StringComparison.Ordinal));

        Assert.Equal(turns.Count, marked + plain);
        Assert.InRange(marked, plain, turns.Count - 1);
    }

    // Eight functions have 40,320 orders: drawn independently, sixty samples hardly share one with the same request.
    [Theory]
    [InlineData("test")]
    [InlineData("unseen")]
    public void HeldOut_Samples_DoNotRepeat(string split)
    {
        var asked = Calls(split).Select(turn => turn.Prompt + CallText.Tools(turn.Tools)).ToList();

        Assert.Equal(asked.Count, asked.Distinct().Count());
    }

    [Fact]
    public void Read_Twice_IsTheSame() =>
        Assert.Equal(Calls(Splits.Train).Select(turn => turn.Prompt + turn.Answer + CallText.Tools(turn.Tools)), Calls(Splits.Train).Select(turn => turn.Prompt + turn.Answer + CallText.Tools(turn.Tools)));
}
