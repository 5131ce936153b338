// InfoNCE in both directions (Radford et al. 2021, CLIP), in fp32:
//   s = exp(min(log_scale, ln 100));  loss = ½ [CE(s · q kᵀ, i) + CE(s · k qᵀ, i)],  q and k of length 1.
// With a negative n for each row (mined: a passage that a search takes for the right one), every row's query also tells its key from all of them:
//   CE([s · q kᵀ, s · q nᵀ], i) (Karpukhin et al. 2020, DPR); the other direction stays as it is.
// Deviation: a pair whose query or key is that of row i (two pictures of one caption) is no negative of row i.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Objective.Contrastive;

/// <summary>Symmetric contrastive loss between two pooled vectors.</summary>
[Plugin("objective.contrastive", "Symmetric contrastive loss (InfoNCE) between the pooled vectors of two encoders.")]
[Input("query", "f[B,D]")]
[Input("key", "f[B,D]")]
[Input("negative", "f[B,D]", Optional = true)]
[Cost(Parameters = "1", Activations = "6*B*B + 6*B*D")]
public sealed class ContrastiveObjective(ContrastiveOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Contrastive(options.Temperature, context);
}

/// <summary>Settings of <see cref="ContrastiveObjective"/>.</summary>
public sealed record ContrastiveOptions(
    [property: Range(0.01, 10.0), Description("Temperature at the start; it is learnt, and never falls below 0.01.")]
    double Temperature = 0.07);

internal sealed class Contrastive : nn.Module, IObjective
{
    private readonly Parameter logScale;

    public Contrastive(double temperature, BuildContext context) : base(nameof(Contrastive))
    {
        logScale = Initial.Constant(context, [], Math.Log(1 / temperature));
        register_parameter("log_scale", logScale);
    }

    /// <summary>A micro-batch counts as one: its loss is a mean already, and pairs of different micro-batches never meet.</summary>
    public double Count(ReadOnlySpan<object?> inputs) => 1;

    public Tensor Sum(ReadOnlySpan<object?> inputs)
    {
        var (query, key) = (((Tensor)inputs[0]!).to(ScalarType.Float32), ((Tensor)inputs[1]!).to(ScalarType.Float32));
        // A row without the modality is all zeros, and takes no part.
        var present = query.ne(0).any(1).logical_and(key.ne(0).any(1)).nonzero().view(-1);
        // Fewer than two pairs teach nothing; the zero keeps the graph connected.
        if (present.size(0) < 2) return (query.sum() + key.sum() + logScale) * 0;
        query = nn.functional.normalize(query.index_select(0, present), 2, 1);
        key = nn.functional.normalize(key.index_select(0, present), 2, 1);
        var scores = mm(query, key.t()) * logScale.to(ScalarType.Float32).clamp_max(Math.Log(100)).exp();  // [pairs, pairs]
        scores = scores.masked_fill(Twins(query).logical_or_(Twins(key)), float.NegativeInfinity);
        var right = arange(present.size(0), dtype: ScalarType.Int64, device: scores.device);
        var forward = inputs.Length > 2 && inputs[2] is Tensor negative ? cat([scores, Hard(query, key, negative)], 1) : scores;
        return (nn.functional.cross_entropy(forward, right) + nn.functional.cross_entropy(scores.t(), right)) / 2;
    }

    /// <summary>Scores of mined negatives [pairs, negatives]; one that is missing, or the key of the row itself, is none.</summary>
    private Tensor Hard(Tensor query, Tensor key, Tensor negative)
    {
        negative = negative.to(ScalarType.Float32);
        var missing = negative.eq(0).all(1).unsqueeze(0);                                    // [1, negatives]
        negative = nn.functional.normalize(negative, 2, 1);
        var scores = mm(query, negative.t()) * logScale.to(ScalarType.Float32).clamp_max(Math.Log(100)).exp();
        return scores.masked_fill(mm(key.detach(), negative.detach().t()).gt(1 - 1e-6).logical_or_(missing), float.NegativeInfinity);
    }

    /// <summary>Which other rows of <paramref name="vectors"/> [pairs, width], of length 1, are the same but for rounding: [pairs, pairs].</summary>
    private static Tensor Twins(Tensor vectors)
    {
        using var _ = no_grad();
        return mm(vectors, vectors.t()).gt(1 - 1e-6).logical_and_(eye(vectors.size(0), dtype: ScalarType.Bool, device: vectors.device).logical_not_());
    }
}
