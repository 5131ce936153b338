using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Chat;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Tests;

/// <summary>A model that repeats the last message letter by letter, calls each function that it is offered, and does what a message beginning with '!' says.</summary>
internal sealed class FakeModel(string id) : IPluginControl, IChatClient, IEmbeddingGenerator<AIContent, Embedding<float>>, ITokenizer
{
    public const string Slow = "!slow";

    public string Id => id;

    public DateTimeOffset Created => DateTimeOffset.UnixEpoch.AddDays(1);

    public ModelState State { get; set; } = ModelState.Ready;

    public string? Failure => State == ModelState.Failed ? "no weights" : null;

    public IChatClient? Chat => State == ModelState.Ready ? this : null;

    public IEmbeddingGenerator<AIContent, Embedding<float>>? Embeddings => State == ModelState.Ready ? this : null;

    public ITokenizer? Tokenizer => State == ModelState.Ready ? this : null;

    public int? ContextLength => 4096;

    public BatchFigures? Figures => State == ModelState.Ready ? new BatchFigures(2, 3, 10, 100, 40, 1000) : null;

    /// <summary>Answers under way.</summary>
    public int Open;

    /// <summary>Letters that the last answer has got to.</summary>
    public int Said;

    public List<ChatOptions?> Asked { get; } = [];

    public Task<(bool Done, string Text)> ControlAsync(string command, string? plugin, string? folder) => Task.FromResult((plugin != "pinned", $"{command} {plugin} from {folder ?? "where it was"}"));

    public Task LoadAsync(CancellationToken cancellation = default)
    {
        State = ModelState.Ready;
        return Task.CompletedTask;
    }

    public Task UnloadAsync(CancellationToken cancellation = default)
    {
        State = ModelState.Unloaded;
        return Task.CompletedTask;
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        lock (Asked) Asked.Add(options);
        var all = messages.ToList();
        var text = options?.AdditionalProperties?.TryGetValue<int[]>(GraphChatClient.PromptTokens, out var tokens) == true ? Decode(tokens!) : all[^1].Text;
        if (text == "!busy") throw new BusyException("64 requests wait already");
        if (text == "!long") throw new ContextLengthException("the prompt has 9000 tokens, and this model reads 4096");
        if (options?.Tools is { Count: > 0 } tools)
        {
            for (var i = 0; i < tools.Count; i++)
                yield return new ChatResponseUpdate(ChatRole.Assistant, [new FunctionCallContent($"call_{i + 1}", tools[i].Name, new Dictionary<string, object?> { ["city"] = "Bern" })]) { FinishReason = i == tools.Count - 1 ? ChatFinishReason.ToolCalls : null };
            yield break;
        }
        foreach (var data in all.SelectMany(message => message.Contents).OfType<DataContent>()) text += $" [{data.MediaType} {data.Data.Length}]";
        Interlocked.Increment(ref Open);
        try
        {
            var most = options?.MaxOutputTokens ?? int.MaxValue;
            var said = 0;
            foreach (var letter in text)
            {
                if (said == most) break;
                if (text.StartsWith(Slow, StringComparison.Ordinal)) await Task.Delay(20, cancellationToken);
                if (said == 3 && text == "!stop") throw new OperationCanceledException("the engine goes away");
                if (said == 3 && text == "!fail") throw new InvalidOperationException("secret of the engine");
                Volatile.Write(ref Said, ++said);
                yield return new ChatResponseUpdate(ChatRole.Assistant, letter.ToString()) { RawRepresentation = new DecodedPiece(letter.ToString(), letter, new TokenLogProbability(-0.5, [(letter, -0.5)])) };
            }
            yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(new UsageDetails { InputTokenCount = 7, OutputTokenCount = said, TotalTokenCount = 7 + said })])
            {
                FinishReason = said < text.Length ? ChatFinishReason.Length : ChatFinishReason.Stop,
            };
        }
        finally
        {
            Interlocked.Decrement(ref Open);
        }
    }

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<AIContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(value => new Embedding<float>(value is TextContent text ? new[] { text.Text.Length, 0.5f } : new[] { -1f, ((DataContent)value).Data.Length }))));

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public int Vocabulary => 65536;

    public IReadOnlyList<int> Encode(string text) => [.. text.Select(letter => (int)letter)];

    public string Decode(IReadOnlyList<int> ids)
    {
        var text = new StringBuilder();
        foreach (var id in ids.Where(id => id > 0)) text.Append((char)id);
        return text.ToString();
    }

    public int Special(string token) => 0;

    public string ToJson() => "{}";

    public void Dispose()
    {
        // holds nothing
    }
}
