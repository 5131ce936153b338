using Microsoft.Extensions.AI;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;

namespace PluginHost.Runs.Inference;

/// <summary>The encoders of the graph that serves now as an embedding generator; see <see cref="GraphEmbedder"/>. Safe for concurrent use.</summary>
/// <param name="live">The graph in use; not disposed.</param>
/// <param name="data">Makes its batches; not disposed.</param>
/// <param name="media">Decodes media.</param>
/// <param name="model">The model's name.</param>
/// <param name="language">Under which a text stands as a caption.</param>
public sealed class LiveEmbedder(LiveGraph live, Dataset data, InlineMedia media, string model, string language) : IEmbeddingGenerator<AIContent, Embedding<float>>
{
    /// <inheritdoc/>
    /// <exception cref="UserErrorException">A content cannot be embedded.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<AIContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var use = live.Acquire();
        using var embedder = new GraphEmbedder(use.Graph, data, media, model, language);
        return await embedder.GenerateAsync(values, options, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata("pluginhost", defaultModelId: model)
        : serviceType?.IsInstanceOfType(this) == true ? this
        : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        // holds nothing of its own
    }
}
