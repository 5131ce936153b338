using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class ConversationTests
{
    private static readonly AITool Play = AIFunctionFactory.CreateDeclaration("play", "Plays.", JsonElement.Parse("""{"type":"object","properties":{"song":{"type":"string"}}}"""));

    private static readonly ChatMessage[] Asked = [new(ChatRole.System, "Be short."), new(ChatRole.User, "Play Blue")];

    private static string Text(ITokenizer tokenizer, IReadOnlyList<ChatMessage> messages, params IReadOnlyList<AITool> tools)
    {
        var data = Make.Dataset(new ListSource());
        data.Tokenizer = tokenizer;
        return tokenizer.Decode(data.EncodeConversation(new Sample("request"), messages, tools));
    }

    [Fact]
    public void Conversation_WithoutTemplate_NamesItsFunctionsFirst() =>
        Assert.Equal("play(song?) Plays.\nBe short.\nPlay Blue", Text(new ByteTokenizer(), Asked, Play));

    [Fact]
    public void Conversation_WithoutTemplate_HasCallsAndResultsAsTurns() => Assert.Equal(
        "Play Blue\nAt once.\n<tool_call>\n{\"name\": \"play\", \"arguments\": {\"song\": \"Blue\"}}\n</tool_call>\n<tool_response>\nplays\n</tool_response>",
        Text(new ByteTokenizer(),
        [
            Asked[1],
            new ChatMessage(ChatRole.Assistant, [new TextContent("At once."), new FunctionCallContent("1", "play", new Dictionary<string, object?> { ["song"] = "Blue" })]),
            new ChatMessage(ChatRole.Tool, [new FunctionResultContent("1", "plays")]),
        ]));

    [Fact]
    public void Conversation_OfATemplateThatSaysNothingOfFunctions_NamesThemBeforeTheFirstQuestion()
    {
        var tokenizer = new ChatByteTokenizer(new ByteTokenizer());

        Assert.Equal("UBe short.play(song?) Plays.\nPlay BlueA", Text(tokenizer, Asked, Play));
        Assert.Equal("UBe short.Play BlueA", Text(tokenizer, Asked));
    }
}
