using System.ClientModel;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using OpenAI;
using PluginHost.Config;
using PluginHost.Runs.Chat;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;

namespace PluginHost.Serving.Models;

/// <summary>A model behind another server that speaks OpenAI's API. It is always ready: what it cannot do, it says when it is asked.</summary>
public sealed class RemoteModel(RemoteModelConfig config) : IServedModel
{
    public string Id => config.Id;

    public DateTimeOffset Created => DateTimeOffset.UnixEpoch;

    public ModelState State => ModelState.Ready;

    public string? Failure => null;

    public IChatClient Chat { get; } = new Translated(Client(config).GetChatClient(config.Model).AsIChatClient(), config);

    public IEmbeddingGenerator<AIContent, Embedding<float>>? Embeddings => null;

    public ITokenizer? Tokenizer => null;

    public int? ContextLength => null;

    public BatchFigures? Figures => null;

    public Task LoadAsync(CancellationToken cancellation = default) => Task.CompletedTask;

    public Task UnloadAsync(CancellationToken cancellation = default) => throw new UserErrorException($"the model '{Id}' runs at {config.Url}, and cannot be unloaded from here");

    private static OpenAIClient Client(RemoteModelConfig config)
    {
        var key = config.KeyVariable is { } variable
            ? Environment.GetEnvironmentVariable(variable) ?? throw new UserErrorException($"the remote model '{config.Id}' has its key in the environment variable '{variable}', which is not set")
            : "none";
        return new OpenAIClient(new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = config.Url });
    }

    // What the other server refuses is refused here in the same way; its key and address are nobody's business.
    private sealed class Translated(IChatClient inner, RemoteModelConfig config) : DelegatingChatClient(inner)
    {
        public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await using var updates = base.GetStreamingResponseAsync(messages, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await MovedAsync(updates)) yield return updates.Current;
        }

        private async Task<bool> MovedAsync(IAsyncEnumerator<ChatResponseUpdate> updates)
        {
            try
            {
                return await updates.MoveNextAsync();
            }
            catch (ClientResultException refusal) when (refusal.Status == 429)
            {
                throw new BusyException($"the model '{config.Id}' has too much to do; try again later");
            }
            catch (ClientResultException refusal) when (refusal.Status is >= 400 and < 500 and not (401 or 403))
            {
                throw new UserErrorException($"the model '{config.Id}' refuses: {refusal.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1]}");
            }
        }
    }
}
