using System.ComponentModel;
using PluginHost.Sdk;

namespace Metric.Bleu;

/// <summary>Corpus BLEU by task, as sacreBLEU computes it.</summary>
[Plugin("metric.bleu", "Corpus BLEU as sacreBLEU computes it, one value per task, with its signature.")]
[Input("answers", "text[N]")]
public sealed class BleuMetric(BleuOptions options) : ITextMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<MetricValue> Compute(IReadOnlyList<Prediction> predictions) =>
        [.. predictions.GroupBy(prediction => prediction.Turn.Task).OrderBy(task => task.Key, StringComparer.Ordinal).Select(Score)];

    private MetricValue Score(IGrouping<string, Prediction> task)
    {
        var pairs = task.Select(item => (Said: item.Text, Right: item.RightAnswers().ToArray())).ToList();
        var tokenize = options.Tokenize != BleuTokenize.Auto ? options.Tokenize
            : BleuTokenizer.IsMostlyChinese(pairs.SelectMany(pair => pair.Right)) ? BleuTokenize.Zh : BleuTokenize.Mteval13a;
        var statistics = new BleuStatistics();
        foreach (var (said, right) in pairs)
            statistics.Add(BleuTokenizer.Split(said, tokenize), [.. right.Select(text => BleuTokenizer.Split(text, tokenize))]);

        var references = pairs.Select(pair => pair.Right.Length).Distinct().ToArray();
        var signature = $"nrefs:{(references.Length == 1 ? references[0].ToString() : "var")}|case:mixed|eff:no"
            + $"|tok:{(tokenize == BleuTokenize.Zh ? "zh" : "13a")}|smooth:{SmoothingName}";
        return new MetricValue($"bleu:{task.Key}", statistics.Score(options.Smoothing, effectiveOrder: false), signature) { Count = pairs.Count };
    }

    private string SmoothingName => options.Smoothing == BleuSmoothing.AddK ? "add-k" : options.Smoothing.ToString().ToLowerInvariant();
}

/// <summary>Settings of <see cref="BleuMetric"/>.</summary>
public sealed record BleuOptions(
    [property: Description("How text is cut into tokens; auto takes zh where the right answers are mostly Chinese, else 13a.")]
    BleuTokenize Tokenize = BleuTokenize.Auto,
    [property: Description("What stands in for a precision of zero.")] BleuSmoothing Smoothing = BleuSmoothing.Exp);

/// <summary>Tokenizers of <see cref="BleuMetric"/>.</summary>
public enum BleuTokenize
{
    /// <summary>By the language of the right answers.</summary>
    Auto,

    /// <summary>The tokenizer 13a of mteval: words and punctuation.</summary>
    Mteval13a,

    /// <summary>Every Chinese character by itself, the rest as 13a without its clean-up.</summary>
    Zh,
}

/// <summary>Smoothing methods of BLEU (Chen and Cherry 2014), with sacreBLEU's values.</summary>
public enum BleuSmoothing
{
    /// <summary>No smoothing: a precision of zero makes the score zero.</summary>
    None,

    /// <summary>A count of zero becomes 0.1.</summary>
    Floor,

    /// <summary>1 is added to counts of two tokens and more.</summary>
    AddK,

    /// <summary>The n-th precision of zero becomes 1 / 2ⁿ of a count.</summary>
    Exp,
}
