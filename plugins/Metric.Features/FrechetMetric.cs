// Fréchet distance (Heusel et al. 2017) of what was said and what is right, over features of a trained run:
// |Δμ|² + Tr(Σ1 + Σ2 - 2 (Σ1 Σ2)^½), float64, covariances over N - 1. Never 'FID': that is the same over Inception's features of pictures.
using System.ComponentModel;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace Metric.Features;

/// <summary>Settings of <see cref="FrechetMetric"/>.</summary>
/// <param name="Run">The trained run whose encoder gives the features.</param>
public sealed record FrechetOptions(
    [property: Description("The trained run whose text encoder gives the features: its folder, its name, or 'latest'.")] string? Run = null);

/// <summary>How far what is said lies from what is right, as a whole.</summary>
[Plugin("metric.frechet", "Fréchet distance of answers and right answers over a trained run's features, one value per task; less is better.")]
[Input("answers", "text[N]")]
[Requires(Capability.EmbeddingGenerator, From = nameof(FrechetOptions.Run))]
public sealed class FrechetMetric : IMediaMetric
{
    /// <summary>For the settings: the run is taken by the host.</summary>
    public FrechetMetric(FrechetOptions options) => _ = options;

    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<JudgedAnswer> answers, BuildContext context)
    {
        var features = new Features(context);
        return
        [
            .. answers.GroupBy(answer => answer.Prediction.Turn.Task).Where(task => task.Count() > 1).OrderBy(task => task.Key, StringComparer.Ordinal).Select(task =>
            {
                var said = features.OfTexts(task.Select(answer => answer.Prediction.Text));
                var right = features.OfTexts(task.Select(answer => answer.Prediction.RightAnswers()[0]));
                return new MetricValue($"frechet-{features.Encoder}:{task.Key}", Distance(said, right), $"features:{features.Encoder}|float64|n-1") { Count = said.Length, Bootstrapped = false, LowerIsBetter = true };
            }),
        ];
    }

    internal static double Distance(double[][] one, double[][] other)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Moments(one), Moments(other));
        return Distance(a.Mean, a.Covariance, b.Mean, b.Covariance);
    }

    /// <summary>The distance of two normal distributions.</summary>
    internal static double Distance(Tensor mean, Tensor covariance, Tensor otherMean, Tensor otherCovariance)
    {
        using var scope = NewDisposeScope();
        // (Σ1 Σ2)^½ has the trace of (Σ1^½ Σ2 Σ1^½)^½, which is symmetric.
        var (values, vectors) = linalg.eigh(covariance);
        var root = vectors.mul(values.clamp_min(0).sqrt()).mm(vectors.t());
        var cross = linalg.eigvalsh(root.mm(otherCovariance).mm(root)).clamp_min(0).sqrt().sum();
        var distance = (mean - otherMean).square().sum() + covariance.trace() + otherCovariance.trace() - 2 * cross;
        return Math.Max(0, distance.item<double>());
    }

    private static (Tensor Mean, Tensor Covariance) Moments(double[][] rows)
    {
        var all = tensor([.. rows.SelectMany(row => row)], [rows.Length, rows[0].Length], dtype: ScalarType.Float64);
        var mean = all.mean([0]);
        var centred = all - mean;
        return (mean, centred.t().mm(centred) / (rows.Length - 1));
    }
}
