// CLIPScore (Hessel et al. 2021): 2.5 max(cos, 0) of the picture and 'A photo depicts' with what was said of it, mean over answers. It needs no right
// answers. The encoder is a trained run's, so the number compares with others of the same run only.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using PluginHost.Sdk;

namespace Metric.Features;

/// <summary>Settings of <see cref="ClipScoreMetric"/>.</summary>
/// <param name="Run">The trained run that judges.</param>
/// <param name="Prefix">What stands before each answer.</param>
/// <param name="Weight">What cosines are multiplied by.</param>
public sealed record ClipScoreOptions(
    [property: Description("The trained run whose encoders judge, with a contrastive objective between text and picture: its folder, its name, or 'latest'.")] string? Run = null,
    [property: Description("What stands before each answer; the encoder may never have seen it.")] string Prefix = "A photo depicts",
    [property: Range(0.0, 1000.0), Description("What cosines are multiplied by.")] double Weight = 2.5);

/// <summary>Whether answers fit their pictures.</summary>
[Plugin("metric.clip-score", "CLIPScore of answers and their pictures under the encoders of a trained run, one value per task.")]
[Input("answers", "text[N]")]
[Requires(Capability.EmbeddingGenerator, From = nameof(ClipScoreOptions.Run))]
public sealed class ClipScoreMetric(ClipScoreOptions options) : IMediaMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<JudgedAnswer> answers, BuildContext context)
    {
        var seen = answers.Where(answer => answer.Sample.Image is { } image && MediaData.Takes(image)).ToList();
        if (seen.Count == 0) return [];
        var features = new Features(context);
        var pictures = features.OfPictures(seen.Select(answer => answer.Sample.Image!));
        var texts = features.OfTexts(seen.Select(answer => options.Prefix.Length == 0 ? answer.Prediction.Text : $"{options.Prefix} {answer.Prediction.Text}"));
        var signature = string.Create(CultureInfo.InvariantCulture, $"encoder:{features.Encoder}|prefix:{options.Prefix}|w:{options.Weight}");
        return
        [
            .. seen.Select((answer, i) => (answer.Prediction.Turn.Task, Score: options.Weight * Math.Max(0, Cosine(pictures[i], texts[i]))))
                .GroupBy(item => item.Task, item => item.Score).OrderBy(task => task.Key, StringComparer.Ordinal)
                .Select(task => new MetricValue($"clip-score:{task.Key}", task.Average(), signature) { Count = task.Count(), Items = [.. task] }),
        ];
    }

    private static double Cosine(double[] a, double[] b)
    {
        var (product, left, right) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++) (product, left, right) = (product + a[i] * b[i], left + a[i] * a[i], right + b[i] * b[i]);
        return left > 0 && right > 0 ? product / Math.Sqrt(left * right) : 0;
    }
}
