using CsCheck;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Chat;
using PluginHost.Sdk;

namespace PluginHost.Runs.Tests.Chat;

public class CallReaderTests
{
    private const string Play = """<tool_call>\n{"name": "play", "arguments": {"song": "Blue", "times": 2}}\n</tool_call>""";

    private static string Lines(string text) => text.Replace("\\n", "\n", StringComparison.Ordinal);

    // Texts as they are, calls in brackets; neighbouring texts are one.
    private static string Read(IEnumerable<string> pieces)
    {
        var reader = new CallReader();
        var contents = pieces.SelectMany(reader.Add).ToList();
        contents.AddRange(reader.Flush());
        Assert.Equal(contents.OfType<FunctionCallContent>().Count(), reader.Calls);
        Assert.Equal(reader.Calls, contents.OfType<FunctionCallContent>().Select(call => call.CallId).Distinct().Count());
        return string.Concat(contents.Select(content => content is FunctionCallContent call
            ? $"[{call.Name} {string.Join(' ', call.Arguments!.Select(argument => $"{argument.Key}={argument.Value}"))}]" : ((TextContent)content).Text));
    }

    [Theory]
    [InlineData("nothing to do", "nothing to do")]
    [InlineData(Play, "[play song=Blue times=2]")]
    [InlineData(Play + "\\n" + Play, "[play song=Blue times=2][play song=Blue times=2]")]
    [InlineData("At once. \\n" + Play + "\\n Done.", "At once.[play song=Blue times=2]Done.")]
    [InlineData("""<tool_call>{"name":"now"}</tool_call>""", "[now ]")]
    [InlineData("""<tool_call>{"name":"now","arguments":null}</tool_call>""", "[now ]")]
    [InlineData("""<tool_call>{"name":"say","arguments":{"text":"</tool_call> ends it"}}</tool_call>""", "[say text=</tool_call> ends it]")]
    public void Read_Calls_ComeApartFromTheText(string text, string expected) => Assert.Equal(expected, Read([Lines(text)]));

    [Theory]
    [InlineData("a <tool_call")]
    [InlineData("a <tool_call>")]
    [InlineData("<tool_call>\\n{\"name\": \"play\", \"arguments\": {\"song\": \"Bl")]
    [InlineData("<tool_call>play Blue</tool_call> or not")]
    [InlineData("<tool_call>{\"name\": 3, \"arguments\": {}}</tool_call>")]
    [InlineData("<tool_call>{\"name\": \"\", \"arguments\": {}}</tool_call>")]
    [InlineData("<tool_call>{\"name\": \"x\", \"arguments\": [1]}</tool_call>")]
    [InlineData("<tool_call>{\"name\": \"x\", \"arguments\": {\"a\": 1, \"a\": 2}}</tool_call>")]
    [InlineData("<tool_call>{\"name\": \"x\", \"arguments\": {\"a\": \"\\ud800\"}, \"name\": \"\\ud800\"}</tool_call>")]
    [InlineData("<tool_call>[]</tool_call></tool_call>")]
    [InlineData("<tool_call></tool_call>")]
    [InlineData("two  blanks, and one at the end ")]
    public void Read_HalfOrBrokenCalls_StayText(string text) => Assert.Equal(Lines(text), Read([Lines(text)]));

    [Fact]
    public void Read_BrokenCallBeforeAWholeOne_CostsTheBrokenOneAlone()
    {
        Assert.Equal("<tool_call>oh[now ]", Read(["<tool_call>oh<tool_call>{\"name\":\"now\"}</tool_call>"]));
        Assert.Equal("<tool_call>{\"name\": \"oh[now ]", Read(["<tool_call>{\"name\": \"oh<tool_call>{\"name\":\"now\"}</tool_call>"]));
    }

    [Fact]
    public void Add_TextThatIsNoCall_PassesAtOnce()
    {
        var reader = new CallReader();

        Assert.Equal("1 <", Assert.IsType<TextContent>(Assert.Single(reader.Add("1 < 2 <tool")))?.Text[..3]);
        Assert.Empty(reader.Add("_call>"));
        Assert.IsType<FunctionCallContent>(Assert.Single(reader.Add("{\"name\":\"now\"}</tool_call>")));
    }

    [Fact]
    public void Read_AnyPieces_GiveWhatTheWholeGives()
    {
        var parts = Gen.OneOfConst(Lines(Play), CallText.Begin, CallText.End, "{\"name\":\"now\"}", "{\"name\": \"", "\"}", " ", "\n", "word", "<", "tool_call>");
        Gen.Select(parts.Array[0, 8], Gen.Int[1, 12].Array[1, 6]).Sample((texts, sizes) =>
        {
            var whole = string.Concat(texts);
            var pieces = new List<string>();
            for (var (at, i) = (0, 0); at < whole.Length; at += pieces[^1].Length, i++) pieces.Add(whole.Substring(at, Math.Min(sizes[i % sizes.Length], whole.Length - at)));
            Assert.Equal(Read([whole]), Read(pieces));
        });
    }

    [Fact]
    public void Read_WhatCallTextWrites_IsTheSameCall()
    {
        var written = CallText.Call("say", new Dictionary<string, object?> { ["text"] = "\"é\"\n</tool_call>", ["times"] = 3, ["loud"] = true });

        Assert.Equal("[say text=\"é\"\n</tool_call> times=3 loud=True]", Read(written.Select(letter => letter.ToString())));
    }
}
