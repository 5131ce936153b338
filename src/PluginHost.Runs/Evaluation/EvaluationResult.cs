using PluginHost.Sdk;

namespace PluginHost.Runs.Evaluation;

/// <summary>A metric on a split, beside its blind control.</summary>
/// <param name="Metric">Such as <c>vqa-accuracy</c>, <c>vqa-accuracy:colour</c>, <c>recall@1:image->text</c>.</param>
/// <param name="Split">The split.</param>
/// <param name="Value">The value of the whole model.</param>
/// <param name="Blind">The value without the media, or of the majority answer of each task where that is better.</param>
/// <param name="Count">Number of samples or questions.</param>
/// <param name="Note">What is needed to compare the value: the metric's signature.</param>
public sealed record EvaluationResult(string Metric, string Split, double Value, double? Blind, int Count, string? Note)
{
    /// <summary>The value with the frames of each video in random order, where there are videos; null elsewhere.</summary>
    public double? Shuffled { get; init; }

    /// <summary>Standard deviation over seeds; null for a single run.</summary>
    public double? Spread { get; init; }

    /// <summary>Whether less is better.</summary>
    public bool LowerIsBetter { get; init; }

    /// <summary>Names the questions: draws of two runs with equal names are pairs.</summary>
    public string Asked { get; init; } = "";

    /// <summary>Values of bootstrap draws; empty where these would say nothing.</summary>
    public IReadOnlyList<double> Draws { get; init; } = [];

    /// <summary>The interval of 95 %; null without draws.</summary>
    public (double Low, double High)? Interval => Draws.Count == 0 ? null : Bootstrap.Interval(Draws);
}

/// <summary>Everything an evaluation found out.</summary>
/// <param name="Results">The metrics.</param>
/// <param name="Examples">Answers for people to look at, with their samples.</param>
public sealed record EvaluationReport(IReadOnlyList<EvaluationResult> Results, IReadOnlyList<Example> Examples)
{
    /// <summary>All answers of text metrics, each once.</summary>
    public IReadOnlyList<GivenAnswer> Answers { get; init; } = [];

    /// <summary>Evaluations that could not be made, and why.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}

/// <summary>An answer beside the truth and what the model says with its media blanked.</summary>
public sealed record GivenAnswer(string Split, Prediction Open, string Blind);

/// <summary>A sample with the model's answers beside the truth.</summary>
public sealed record Example(string Split, Sample Sample, IReadOnlyList<Prediction> Answers);

/// <summary>A metric that wants surroundings, with what makes them.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Context">Called when it is computed: what it requires may be large.</param>
public sealed record SurroundedMetric(IMediaMetric Metric, Func<BuildContext> Context);
