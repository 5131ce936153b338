using System.Text.Json;
using Microsoft.Extensions.AI;

namespace PluginHost.Sdk.Tests;

public class CallTextTests
{
    private static AIFunctionDeclaration Tool(string name, string? description, string schema) => AIFunctionFactory.CreateDeclaration(name, description, JsonElement.Parse(schema));

    [Theory]
    [InlineData("{}", "play() Plays a song.")]
    [InlineData("""{"type":"object","properties":{"song":{"type":"string"},"volume":{"type":"integer"},"room":{"enum":["hall","den",3]}},"required":["song"]}""", "play(song, volume?: integer, room?: hall|den|3) Plays a song.")]
    [InlineData("""{"type":"object","properties":{"songs":{"type":"array","items":{"type":"object","properties":{"id":{"type":["integer","null"]}}}},"all":true}}""", "play(songs?: {id?: integer|null}[], all?: any) Plays a song.")]
    public void Tools_ASchema_IsALineWithNamesAndTypes(string schema, string expected) => Assert.Equal(expected + "\n", CallText.Tools([Tool("play", "Plays\n  a song.", schema)]));

    [Fact]
    public void Tools_None_IsNothing() => Assert.Equal("", CallText.Tools([]));

    [Fact]
    public void Tools_WithoutDescription_HasNoBlankAtItsEnd() => Assert.Equal("now()\nthen()\n", CallText.Tools([Tool("now", null, "{}"), Tool("then", "", "{}")]));

    [Fact]
    public void Call_Arguments_AreSpacedJson() => Assert.Equal(
        "<tool_call>\n{\"name\": \"play\", \"arguments\": {\"song\": \"Für \\\"E\\\"\", \"list\": [1, {\"a\": null}], \"loud\": true}}\n</tool_call>",
        CallText.Call("play", new Dictionary<string, object?> { ["song"] = "Für \"E\"", ["list"] = JsonElement.Parse("""[1,{"a":null}]"""), ["loud"] = true }));

    [Fact]
    public void Call_WithoutArguments_HasAnEmptyObject() => Assert.Equal("<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>", CallText.Call("now"));

    [Fact]
    public void Result_TextOrJson_StandsBetweenMarks()
    {
        Assert.Equal("<tool_response>\nsunny\n</tool_response>", CallText.Result("sunny"));
        Assert.Equal("<tool_response>\nsunny\n</tool_response>", CallText.Result(JsonElement.Parse("\"sunny\"")));
        Assert.Equal("<tool_response>\n{\"t\": 21.5}\n</tool_response>", CallText.Result(JsonElement.Parse("""{"t":21.5}""")));
        Assert.Equal("<tool_response>\n\n</tool_response>", CallText.Result(null));
    }
}
