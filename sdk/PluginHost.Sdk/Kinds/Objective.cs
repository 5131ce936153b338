using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// Kind <c>objective</c>: a loss from graph values. It has no outputs. The loss of an accumulation window is
/// (sum of <see cref="Sum"/>) / (sum of <see cref="Count"/>) over all its micro-batches, exact to the token.
/// </summary>
public interface IObjective : IGraphNode
{
    /// <summary>
    /// The denominator that a micro-batch contributes: tokens, pairs, or the sum of their weights. Called before any forward
    /// pass of the window, so inputs that do not come straight from the sample are null.
    /// </summary>
    /// <param name="inputs">Values in the order of the input attributes.</param>
    double Count(ReadOnlySpan<object?> inputs);

    /// <summary>The summed loss of a micro-batch, a scalar with gradient.</summary>
    /// <param name="inputs">Values in the order of the input attributes.</param>
    Tensor Sum(ReadOnlySpan<object?> inputs);

    void IGraphNode.Run(ReadOnlySpan<object?> inputs, Span<object?> outputs) =>
        throw new InvalidOperationException("An objective is asked for Sum and Count.");
}

/// <summary>
/// An objective that learns which of several answers is right. The host lets it rank the answers of a graph that has no decoder to
/// write them. It reads <c>sample.candidates</c>: a text whose segments are a question with one answer each, the right one first and then
/// wrong ones of the same question; <see cref="TextBatch.Targets"/> holds 1 or 0 at the first token of each.
/// </summary>
public interface IRankingObjective : IObjective
{
    /// <summary>How well each segment's answer fits.</summary>
    /// <param name="inputs">Values in the order of the input attributes.</param>
    /// <returns>[segments of the whole batch], row by row; the greater, the better. Comparable within a question.</returns>
    Tensor Scores(ReadOnlySpan<object?> inputs);
}
