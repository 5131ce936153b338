using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Tests.Tools;

/// <summary>A served model whose answers a test writes: each turn it is given the results so far, and the tools that it is shown.</summary>
internal sealed class ScriptedModel(Func<IReadOnlyList<string>, IReadOnlyList<string>, IEnumerable<AIContent>> answer) : IServedModel, IChatClient
{
    public string Id => "scripted";

    public DateTimeOffset Created => DateTimeOffset.UnixEpoch;

    public ModelState State => ModelState.Ready;

    public string? Failure => null;

    public IChatClient Chat => this;

    public IEmbeddingGenerator<AIContent, Embedding<float>>? Embeddings => null;

    public ITokenizer? Tokenizer => null;

    public int? ContextLength => null;

    public BatchFigures? Figures => null;

    public Task LoadAsync(CancellationToken cancellation = default) => Task.CompletedTask;

    public Task UnloadAsync(CancellationToken cancellation = default) => Task.CompletedTask;

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var results = messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Select(result => $"{result.Result}").ToList();
        await Task.Yield();
        foreach (var content in answer(results, [.. (options?.Tools ?? []).Select(tool => tool.Name)])) yield return new ChatResponseUpdate(ChatRole.Assistant, [content]);
        yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(new UsageDetails { InputTokenCount = 10, OutputTokenCount = 2 })]) { FinishReason = ChatFinishReason.Stop };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
        // holds nothing
    }
}
