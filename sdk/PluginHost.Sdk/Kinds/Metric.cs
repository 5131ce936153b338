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

/// <summary>
/// Kind <c>metric</c> over answers together with what they are about. Port: input <c>answers</c> of type <c>text[N]</c>. It may require a trained run
/// (<see cref="RequiresAttribute"/>) and gets it by <see cref="BuildContext.Required{T}"/>. Thread-safe.
/// </summary>
public interface IMediaMetric
{
    /// <summary>Computes the metric over all answers at once.</summary>
    /// <param name="answers">The answers; media of their samples are decoded, in the form that the project wants.</param>
    /// <param name="context">The surroundings.</param>
    IReadOnlyList<MetricValue> Compute(IReadOnlyList<JudgedAnswer> answers, BuildContext context);
}

/// <summary>An answer with the sample that it is about.</summary>
/// <param name="Sample">The sample; null media are blank or were not there.</param>
/// <param name="Prediction">The answer beside the truth.</param>
public sealed record JudgedAnswer(Sample Sample, Prediction Prediction);

/// <summary>A generated answer beside the truth.</summary>
/// <param name="SampleId">The sample it is about.</param>
/// <param name="Turn">The question with the right answer.</param>
/// <param name="Text">What the model said.</param>
public sealed record Prediction(string SampleId, Turn Turn, string Text)
{
    /// <summary>The probability that the model gave its answer, 0 to 1; null when it ranks answers instead of writing them.</summary>
    public double? Confidence { get; init; }

    /// <summary>What the answer is held against: the turn's right answer and further ones.</summary>
    /// <exception cref="UserErrorException">The turn has none: a metric that needs references cannot speak of it.</exception>
    public IReadOnlyList<string> RightAnswers()
    {
        string[] right = [.. Turn.AlsoRight.Prepend(Turn.Answer).Where(answer => answer.Trim().Length > 0)];
        return right.Length > 0 ? right : throw new UserErrorException(
            $"The question '{Turn.Prompt}' (task '{Turn.Task}') of sample '{SampleId}' has no right answer, so that no metric with references can rate what is said to it; leave the task out of 'tasks', or give it an answer.");
    }
}

/// <summary>A number with its name.</summary>
/// <param name="Name">Such as <c>recall@1</c> or <c>bleu</c>; the part of the data it speaks of may follow a colon.</param>
/// <param name="Value">The value.</param>
/// <param name="Note">What is needed to compare it: a signature.</param>
public sealed record MetricValue(string Name, double Value, string? Note = null)
{
    /// <summary>How many predictions it speaks of, where that is not all of them.</summary>
    public int? Count { get; init; }

    /// <summary>
    /// The score of each prediction it speaks of, in their order, where the value is their mean: its confidence interval follows from them. Empty: it
    /// is a number of the corpus as a whole.
    /// </summary>
    public IReadOnlyList<double> Items { get; init; } = [];

    /// <summary>
    /// Whether answers drawn with replacement tell how sure the value is. Not where answers are compared with each other: one that is drawn twice would
    /// look like a repetition.
    /// </summary>
    public bool Bootstrapped { get; init; } = true;

    /// <summary>Whether less is better: an error or a distance.</summary>
    public bool LowerIsBetter { get; init; }
}
