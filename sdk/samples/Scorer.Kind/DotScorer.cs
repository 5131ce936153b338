// score = q · k / √D
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Scorer.Kind;

/// <summary>The scaled dot product.</summary>
[Plugin("scorer.dot", "Dot product of two vectors, divided by the root of their length.")]
[Input("query", "f[B,D]")]
[Input("key", "f[B,D]")]
[Output("score", "f[B]")]
public sealed class DotScorer : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Dot();

    private sealed class Dot : IScorer
    {
        public Tensor Score(Tensor query, Tensor key) => (query * key).sum(1) / Math.Sqrt(query.size(1));
    }
}
