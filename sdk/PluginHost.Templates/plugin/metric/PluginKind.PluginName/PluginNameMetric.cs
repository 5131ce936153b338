// Share of answers that are right to the letter, or but for case and space around them.
using System.ComponentModel;
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>Exact match.</summary>
[Plugin("plugin-kind.plugin-name", "Share of generated answers that equal a right one.")]
[Input("answers", "text[N]")]
public sealed class PluginNameMetric(PluginNameOptions options) : ITextMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions)
    {
        var right = predictions.Count(prediction => prediction.Turn.AlsoRight.Prepend(prediction.Turn.Answer).Any(answer => Same(answer, prediction.Text)));
        return [new MetricValue("plugin-name", predictions.Count == 0 ? 0 : (double)right / predictions.Count, $"{predictions.Count} answers")];
    }

    private bool Same(string one, string two) => options.Strict ? one == two : string.Equals(one.Trim(), two.Trim(), StringComparison.OrdinalIgnoreCase);
}

/// <summary>Settings of <see cref="PluginNameMetric"/>.</summary>
public sealed record PluginNameOptions(
    [property: Description("Whether case and space around an answer matter.")] bool Strict = false);
