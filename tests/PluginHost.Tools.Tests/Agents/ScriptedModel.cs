using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace PluginHost.Tools.Tests.Agents;

/// <summary>A model whose answers a test writes, one for each turn.</summary>
internal sealed class ScriptedModel(Func<int, IReadOnlyList<ChatMessage>, ChatOptions, IEnumerable<AIContent>> answer) : IChatClient
{
    public List<IReadOnlyList<ChatMessage>> Asked { get; } = [];

    public List<IReadOnlyList<string>> Tools { get; } = [];

    /// <summary>What each turn says that it took.</summary>
    public UsageDetails Usage { get; init; } = new() { InputTokenCount = 10, OutputTokenCount = 5, TotalTokenCount = 15 };

    public static FunctionCallContent Call(string name, object? arguments = null, string? id = null) =>
        new(id ?? Guid.NewGuid().ToString("N"), name, arguments?.GetType().GetProperties().ToDictionary(item => item.Name, item => item.GetValue(arguments)) ?? []);

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        IReadOnlyList<ChatMessage> history = [.. messages];
        Asked.Add(history);
        Tools.Add([.. (options?.Tools ?? []).Select(tool => tool.Name)]);
        await Task.Yield();
        var calls = false;
        foreach (var content in answer(Asked.Count, history, options!))
        {
            cancellationToken.ThrowIfCancellationRequested();
            calls |= content is FunctionCallContent;
            yield return new ChatResponseUpdate(ChatRole.Assistant, [content]);
        }
        yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(Usage)]) { FinishReason = calls ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
        // holds nothing
    }
}
