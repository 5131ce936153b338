using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>Conversations of a model without a chat template, as text: a line for each function that it may call, then what was said, called and given back, in turn.</summary>
internal static class PlainTurns
{
    /// <summary>The text, up to where the next answer begins.</summary>
    public static string Text(IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool> tools) =>
        CallText.Tools(tools) + string.Join('\n', messages.Select(Text).Where(text => text.Length > 0));

    /// <summary>The messages with the functions in the first of the user's.</summary>
    public static IReadOnlyList<ChatMessage> Told(IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool> tools)
    {
        var told = messages.ToList();
        var first = told.FindIndex(message => message.Role == ChatRole.User);
        var asked = first < 0 ? new ChatMessage(ChatRole.User, "") : told[first].Clone();
        asked.Contents = [new TextContent(CallText.Tools(tools)), .. asked.Contents];
        if (first < 0) told.Insert(0, asked);
        else told[first] = asked;
        return told;
    }

    private static string Text(ChatMessage message) => string.Join('\n', message.Contents.Select(content => content switch
    {
        FunctionCallContent call => CallText.Call(call.Name, call.Arguments),
        FunctionResultContent result => CallText.Result(result.Result),
        _ => "",
    }).Prepend(message.Text).Where(text => text.Length > 0));
}
