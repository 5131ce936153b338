using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.AI;

namespace PluginHost.Sdk.Testing;

/// <summary>
/// An embedding generator without a model, for tests of plugins that require <see cref="Capability.EmbeddingGenerator"/>: equal content has equal vectors
/// of length 1, other content vectors that have nothing to do with it. Thread-safe.
/// </summary>
/// <param name="vector">What becomes of a content instead; null for the usual vector.</param>
public sealed class FakeEmbeddingGenerator(Func<AIContent, float[]?>? vector = null) : IEmbeddingGenerator<AIContent, Embedding<float>>
{
    private const int Width = 32; // the bytes of a SHA-256

    /// <inheritdoc/>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<AIContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(value => new Embedding<float>(vector?.Invoke(value) ?? Usual(value)))));
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        // holds nothing
    }

    private static float[] Usual(AIContent value)
    {
        var hash = SHA256.HashData(value switch
        {
            TextContent text => Encoding.UTF8.GetBytes(text.Text),
            DataContent data => data.Data.ToArray(),
            _ => throw new NotSupportedException($"A {value.GetType().Name} cannot be embedded; text and data can."),
        });
        var vector = new float[Width];
        for (var i = 0; i < Width; i++) vector[i] = hash[i] - 127.5f;
        var length = MathF.Sqrt(vector.Sum(part => part * part));
        return [.. vector.Select(part => part / length)];
    }
}

/// <summary>
/// A scorer of texts without a model, for tests of plugins that require <see cref="Capability.TextScorer"/>: a token is a character and costs the logarithm of
/// its code. Thread-safe.
/// </summary>
/// <param name="score">What becomes of a text instead; null for the usual score.</param>
public sealed class FakeTextScorer(Func<ScoredText, TextScore?>? score = null) : ITextScorer
{
    /// <inheritdoc/>
    public IReadOnlyList<TextScore> Score(IReadOnlyList<ScoredText> texts, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return [.. texts.Select(text => score?.Invoke(text) ?? new TextScore(-text.Text.Sum(character => Math.Log(1 + character)), text.Text.Length + 1))];
    }
}
