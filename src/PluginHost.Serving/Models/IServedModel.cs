using Microsoft.Extensions.AI;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;

namespace PluginHost.Serving.Models;

/// <summary>A model that the server answers with: a trained run, or a remote one that stands in. Safe for concurrent use.</summary>
public interface IServedModel
{
    /// <summary>Its name in requests.</summary>
    string Id { get; }

    /// <summary>When it was made.</summary>
    DateTimeOffset Created { get; }

    /// <summary>Whether it answers now.</summary>
    ModelState State { get; }

    /// <summary>Why loading failed, for people; null unless the state is <see cref="ModelState.Failed"/>.</summary>
    string? Failure { get; }

    /// <summary>Writes answers; null: it has no decoder, or is not ready.</summary>
    IChatClient? Chat { get; }

    /// <summary>Embeds texts and media; null: it has no space that they share, or is not ready.</summary>
    IEmbeddingGenerator<AIContent, Embedding<float>>? Embeddings { get; }

    /// <summary>Its text to ids and back; null: nobody knows, or it is not ready.</summary>
    ITokenizer? Tokenizer { get; }

    /// <summary>Most tokens of prompt and answer together; null: nobody knows, or it is not ready.</summary>
    int? ContextLength { get; }

    /// <summary>What is under way; null: nobody knows, or it is not ready.</summary>
    BatchFigures? Figures { get; }

    /// <summary>Loads it; completes at once when it is ready.</summary>
    /// <exception cref="UserErrorException">It cannot be loaded; the state is <see cref="ModelState.Failed"/>.</exception>
    Task LoadAsync(CancellationToken cancellation = default);

    /// <summary>Lets what is under way finish, and gives its memory back.</summary>
    Task UnloadAsync(CancellationToken cancellation = default);
}

/// <summary>Whether a model answers.</summary>
public enum ModelState
{
    /// <summary>Nothing of it is in memory.</summary>
    Unloaded,

    /// <summary>It will answer soon.</summary>
    Loading,

    /// <summary>It answers.</summary>
    Ready,

    /// <summary>It could not be loaded.</summary>
    Failed,
}
