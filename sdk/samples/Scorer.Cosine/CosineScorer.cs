// score = q · k / (|q| |k|)
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using Scorer.Kind;
using static TorchSharp.torch;

namespace Scorer.Cosine;

/// <summary>The cosine of the angle between two vectors.</summary>
[Plugin("scorer.cosine", "Cosine of the angle between two vectors.")]
[Input("query", "f[B,D]")]
[Input("key", "f[B,D]")]
[Output("score", "f[B]")]
public sealed class CosineScorer(CosineOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Cosine(options.Epsilon);

    private sealed class Cosine(double epsilon) : IScorer
    {
        public Tensor Score(Tensor query, Tensor key) => nn.functional.cosine_similarity(query, key, 1, epsilon);
    }
}

/// <summary>Settings of <see cref="CosineScorer"/>.</summary>
public sealed record CosineOptions(
    [property: Range(1e-12, 1e-2), Description("Shortest length that a vector is taken to have, so that a vector of zeros scores 0.")] double Epsilon = 1e-8);
