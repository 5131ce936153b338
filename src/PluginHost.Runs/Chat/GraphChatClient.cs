using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PluginHost.Data;
using PluginHost.Runs.Decoding;
using PluginHost.Runs.Generation;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;

namespace PluginHost.Runs.Chat;

/// <summary>
/// A trained graph as a chat client. Media contents are shown to it, one of a kind; texts are never read as anything but text. Where functions are offered, calls that the model writes
/// (<see cref="CallText"/>) are contents of their own. Beyond the options that have a name of their own it knows
/// <see cref="LogProbabilities"/> and <see cref="RepetitionPenalty"/>. Updates carry the <see cref="DecodedPiece"/> that they come from; the last one says why the
/// answer ended and what it took. Safe for concurrent use.
/// </summary>
/// <param name="decoder">Answers; not disposed.</param>
/// <param name="data">Makes prompts; not disposed.</param>
/// <param name="media">Decodes what messages show.</param>
/// <param name="modalities">What the graph reads: <c>image</c>, <c>audio</c>, <c>video</c>.</param>
/// <param name="model">The model's name.</param>
/// <param name="json">Holds answers to a JSON object, made when it is first asked for; null: nothing here can.</param>
/// <param name="calls">Holds calls to the functions that are offered (<see cref="IToolConstraint"/>), made when it is first asked for; null: nothing here can.</param>
public sealed class GraphChatClient(LiveDecoder decoder, Dataset data, InlineMedia media, IReadOnlyList<string> modalities, string model, Lazy<IConstraint>? json = null, Lazy<IConstraint>? calls = null) : IChatClient
{
    /// <summary>In <see cref="ChatOptions.AdditionalProperties"/>, an int: how many alternatives are wanted beside each token's log-probability.</summary>
    public const string LogProbabilities = "logprobs";

    /// <summary>In <see cref="ChatOptions.AdditionalProperties"/>, a double: see <see cref="DecodeRequest.RepetitionPenalty"/>.</summary>
    public const string RepetitionPenalty = "repetition_penalty";

    /// <summary>In <see cref="ChatOptions.AdditionalProperties"/>, ids: a prompt that is continued as it stands, in place of messages.</summary>
    public const string PromptTokens = "prompt_tokens";

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    /// <exception cref="BusyException">Too many requests wait already.</exception>
    /// <exception cref="ContextLengthException">The prompt is too long.</exception>
    /// <exception cref="UserErrorException">The request can never be answered; the message says why.</exception>
    /// <exception cref="NotSupportedException">It asks for something that this model cannot do.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // Whoever stops reading, for whatever reason, has no use for the rest.
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var id = $"chatcmpl-{Guid.NewGuid():N}";
        try
        {
            var stream = Start([.. messages], options ?? new ChatOptions(), leaving.Token);
            var reader = Offered(options).Count > 0 ? new CallReader() : null;
            await foreach (var (piece, contents) in Shown(stream.Pieces.ReadAllAsync(CancellationToken.None), reader).ConfigureAwait(false)) yield return Update(contents, piece, null);
            if (reader?.Flush() is { Count: > 0 } rest) yield return Update([.. rest], null, null);
            var outcome = await stream.Outcome.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            yield return outcome.Reason switch
            {
                FinishReason.Error => throw new InvalidOperationException(outcome.Error),
                FinishReason.Cancelled => throw new OperationCanceledException("the model was unloaded while it answered"),
                FinishReason.Length => Update([new UsageContent(Usage(outcome))], null, ChatFinishReason.Length),
                _ => Update([new UsageContent(Usage(outcome))], null, reader is { Calls: > 0 } ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop),
            };
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
        }

        ChatResponseUpdate Update(IList<AIContent> contents, DecodedPiece? piece, ChatFinishReason? reason) => new(ChatRole.Assistant, contents)
        {
            ResponseId = id,
            MessageId = id,
            ModelId = model,
            FinishReason = reason,
            RawRepresentation = piece,
        };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("pluginhost", defaultModelId: model)
        : serviceType?.IsInstanceOfType(this) == true ? this
        : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        // holds nothing of its own
    }

    /// <summary>
    /// What pieces of an answer show. One that shows nothing is left out, but not the first: who waits sees that the answer has begun, even if none of its text can be shown yet.
    /// </summary>
    internal static async IAsyncEnumerable<(DecodedPiece Piece, IList<AIContent> Contents)> Shown(IAsyncEnumerable<DecodedPiece> pieces, CallReader? reader)
    {
        var (told, begun) = (false, false);
        await foreach (var piece in pieces.ConfigureAwait(false))
        {
            // An answer begins with its first letter, as in training data that ends prompts without a space.
            var text = begun ? piece.Text : piece.Text.TrimStart();
            begun |= text.Length > 0;
            var contents = reader?.Add(text) ?? [new TextContent(text)];
            if (told && (text.Length == 0 || contents.Count == 0) && piece.LogProbability is null) continue;
            told = true;
            yield return (piece, [.. contents]);
        }
    }

    private DecodeStream Start(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellation)
    {
        if (options.AdditionalProperties is { } more && more.TryGetValue<int[]>(PromptTokens, out var tokens)) return decoder.Start(new Sample("request"), "", Request(tokens, options), cancellation);
        if (messages.Count == 0) throw new UserErrorException("there are no messages; send at least one of the user's");
        var shown = ShownMedia.Of(messages, modalities, model);
        var sample = shown.Decode(media, cancellation);
        var prompt = data.EncodeConversation(sample, shown.Messages, Offered(options));
        return decoder.Start(sample, shown.Key, Request(prompt, options), cancellation);
    }

    private DecodeRequest Request(IReadOnlyList<int> prompt, ChatOptions options)
    {
        if (options.ResponseFormat is ChatResponseFormatJson { Schema: not null }) throw new NotSupportedException("answers cannot be held to a JSON Schema yet; ask for a JSON object, or for text");
        if (options.ResponseFormat is ChatResponseFormatJson && options.ToolMode is RequiredChatToolMode) throw new NotSupportedException("an answer cannot be a JSON object and a call of a function; ask for one of them");
        if (options.ResponseFormat is ChatResponseFormatJson && json is null) throw new NotSupportedException("answers cannot be held to JSON: no constraint is installed that could do it");
        var more = options.AdditionalProperties;
        var seed = options.Seed is { } given ? given.GetHashCode() : Random.Shared.Next();
        return new DecodeRequest(prompt, new Sampling(options.MaxOutputTokens ?? int.MaxValue, options.Temperature ?? 1, options.TopP ?? 1, seed))
        {
            Constraint = options.ResponseFormat is ChatResponseFormatJson ? json!.Value : CallConstraint(options),
            Stop = options.StopSequences is { } stops ? [.. stops] : [],
            LogProbabilities = more is not null && more.TryGetValue<int>(LogProbabilities, out var alternatives) ? alternatives : null,
            RepetitionPenalty = more is not null && more.TryGetValue<double>(RepetitionPenalty, out var penalty) ? penalty : 1,
        };
    }

    private static IReadOnlyList<AITool> Offered(ChatOptions? options) => options is { Tools: { } tools, ToolMode: not NoneChatToolMode } ? [.. tools] : [];

    private IConstraint? CallConstraint(ChatOptions options)
    {
        var required = options.ToolMode as RequiredChatToolMode;
        var tools = Offered(options).OfType<AIFunctionDeclaration>().Where(tool => required?.RequiredFunctionName is not { } name || tool.Name == name).ToList();
        if (required is not null && tools.Count == 0) throw new UserErrorException("an answer is to call a function, and none that it could call is offered");
        if (required is not null && calls?.Value is not IToolConstraint)
            throw new NotSupportedException("an answer cannot be held to a call of a function: no constraint is installed that could do it; leave the choice to the model ('auto')");
        return tools.Count > 0 && calls?.Value is IToolConstraint holding ? holding.Bind(tools, required is not null) : null;
    }

    private static UsageDetails Usage(DecodeOutcome outcome) => new()
    {
        InputTokenCount = outcome.PromptTokens,
        OutputTokenCount = outcome.AnswerTokens,
        TotalTokenCount = outcome.PromptTokens + outcome.AnswerTokens,
        CachedInputTokenCount = outcome.ReusedTokens,
    };
}
