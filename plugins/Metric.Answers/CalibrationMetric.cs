// Expected calibration error (Naeini et al. 2015; Guo et al. 2017): over bins of equal width, sum of |accuracy - mean confidence| weighted by the
// bin's share. Confidence is the probability that the model gave its whole answer; right is what equals a right answer.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Metric.Answers;

/// <summary>Settings of <see cref="CalibrationMetric"/>.</summary>
/// <param name="Bins">Bins of equal width.</param>
public sealed record CalibrationOptions([property: Range(2, 1000), Description("Bins of equal width between 0 and 1.")] int Bins = 15);

/// <summary>Whether a model knows how sure it may be.</summary>
[Plugin("metric.calibration", "Expected calibration error of the answers' probabilities, overall and by task; less is better.")]
[Input("answers", "text[N]")]
public sealed class CalibrationMetric(CalibrationOptions options) : ITextMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions)
    {
        if (predictions.Count > 0 && predictions.All(prediction => prediction.Confidence is null))
            throw new UserErrorException("metric.calibration needs to know how sure answers are, and a model that ranks answers instead of writing them does not say; leave it out, or evaluate a graph with a decoder.");
        // Of an answer that nobody gave by its own probability (a control) nothing is known.
        var known = predictions.Where(prediction => prediction.Confidence is not null).Select(prediction => (prediction.Turn.Task, Sure: prediction.Confidence!.Value, Right: ExactMatchMetric.IsRight(prediction))).ToList();
        return [.. Words.OverallAndByTask("calibration-error", known, item => item.Task, Error)];
    }

    private MetricValue Error(string name, IReadOnlyList<(string Task, double Sure, bool Right)> answers) =>
        new(name, Of([.. answers.Select(answer => (answer.Sure, answer.Right))], options.Bins), $"ece|bins:{options.Bins}|confidence:sequence") { Count = answers.Count, LowerIsBetter = true };

    internal static double Of(IReadOnlyList<(double Sure, bool Right)> answers, int bins) => answers
        .GroupBy(answer => Math.Clamp((int)(answer.Sure * bins), 0, bins - 1))
        .Sum(bin => Math.Abs(bin.Count(answer => answer.Right) - bin.Sum(answer => answer.Sure)) / answers.Count);
}
