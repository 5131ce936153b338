using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>Kind <c>metric</c> over generated text. Port: input <c>answers</c> of type <c>text[N]</c>. Thread-safe.</summary>
public interface ITextMetric
{
    /// <summary>Computes the metric over all predictions at once.</summary>
    IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions);
}

/// <summary>Kind <c>metric</c> over embeddings. Ports: inputs <c>query</c> and <c>key</c> of type <c>f[B,D]</c>. Thread-safe.</summary>
public interface IEmbeddingMetric
{
    /// <summary>Computes the metric over the full gallery.</summary>
    /// <param name="query">Embeddings [N, D].</param>
    /// <param name="key">Embeddings [N, D]; row i is a right answer to query i.</param>
    /// <param name="groups">Rows of one group are right answers to each other's queries (equal captions, say); length N.</param>
    IReadOnlyList<MetricValue> Compute(Tensor query, Tensor key, IReadOnlyList<int> groups);
}

/// <summary>A generated answer beside the truth.</summary>
/// <param name="SampleId">The sample it is about.</param>
/// <param name="Turn">The question with the right answer.</param>
/// <param name="Text">What the model said.</param>
public sealed record Prediction(string SampleId, Turn Turn, string Text);

/// <summary>A number with its name.</summary>
/// <param name="Name">Such as <c>recall@1</c> or <c>bleu</c>; the part of the data it speaks of may follow a colon.</param>
/// <param name="Value">The value.</param>
/// <param name="Note">What is needed to compare it: a signature.</param>
public sealed record MetricValue(string Name, double Value, string? Note = null)
{
    /// <summary>How many predictions it speaks of, where that is not all of them.</summary>
    public int? Count { get; init; }
}
