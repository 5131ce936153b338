using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Scorer.Kind;

/// <summary>
/// Kind <c>scorer</c>: how alike two vectors are. Ports: inputs <c>query</c> and <c>key</c> (<c>f[B,D]</c>), output <c>score</c>
/// (<c>f[B]</c>), in this order. The plugin is an <see cref="INodePlugin"/> whose node implements this.
/// </summary>
public interface IScorer : IGraphNode
{
    /// <summary>Scores row by row.</summary>
    /// <param name="query">[B, D].</param>
    /// <param name="key">[B, D].</param>
    /// <returns>[B]; the more alike, the larger.</returns>
    Tensor Score(Tensor query, Tensor key);

    void IGraphNode.Run(ReadOnlySpan<object?> inputs, Span<object?> outputs) => outputs[0] = Score((Tensor)inputs[0]!, (Tensor)inputs[1]!);
}
