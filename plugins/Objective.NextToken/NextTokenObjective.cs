// Next-token prediction: Σ w · (−log softmax(logits)[target]) over the supervised positions, divided by Σ w by the host, over the
// whole accumulation window.
using System.ComponentModel;
using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Objective.NextToken;

/// <summary>Weighted cross-entropy of the next token.</summary>
[Plugin("objective.next-token", "Cross-entropy of the next token, weighted and exact to the token over an accumulation window.")]
[Input("logits", "f[B,T,V]")]
[Input("text", "ids[B,T,V]")]
[Cost(Parameters = "0", Activations = "2*B*T*V")]
public sealed class NextTokenObjective(NextTokenOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new NextToken(options.Needs);
}

/// <summary>Settings of <see cref="NextTokenObjective"/>.</summary>
/// <param name="Needs">The turns that count.</param>
public sealed record NextTokenOptions(
    [property: Description("Only turns that need this modality count; an objective for each lets a stage weigh modalities against each other.")]
    NeededModality Needs = NeededModality.Any);

/// <summary>Which turns count.</summary>
public enum NeededModality
{
    /// <summary>All.</summary>
    Any,

    /// <summary>Those that need no medium.</summary>
    None,

    /// <summary>Those that need the picture.</summary>
    Image,

    /// <summary>Those that need the sound.</summary>
    Audio,

    /// <summary>Those that need the video.</summary>
    Video,
}

internal sealed class NextToken(NeededModality needs) : IObjective
{
    public double Count(ReadOnlySpan<object?> inputs)
    {
        using var scope = NewDisposeScope();
        var text = (TextBatch)inputs[1]!;
        return (Counted(text) is { } counted ? text.Weights * counted : text.Weights).sum(ScalarType.Float64).item<double>();
    }

    public Tensor Sum(ReadOnlySpan<object?> inputs)
    {
        // The largest tensors of a step: what the backward pass can do without is not kept for it.
        using var scope = NewDisposeScope();
        var (logits, text) = ((Tensor)inputs[0]!, (TextBatch)inputs[1]!);
        var (rows, targets, weights) = (logits.flatten(0, 1), text.Targets.flatten(), text.Weights.flatten());
        var supervised = targets.ne(TextBatch.Ignore);
        if (Counted(text) is { } counted) supervised = supervised.logical_and(counted.flatten());
        // A position that weighs nothing is not read, and its gradient is a row of zeros: cheaper than gathering the others first and scattering them after.
        (targets, weights) = (targets.clamp_min(0), weights * supervised);
        return CrossEntropy.Sum(rows.to(ScalarType.Float32), targets, weights).MoveToOuterDisposeScope();
    }

    /// <summary>Bool [batch, tokens]; null: all count.</summary>
    private Tensor? Counted(TextBatch text) => needs switch
    {
        NeededModality.Any => null,
        _ when text.Needs is null => needs == NeededModality.None ? null : zeros_like(text.Weights, ScalarType.Bool),
        NeededModality.None => text.Needs.eq(0),
        NeededModality.Image => Needing(text.Needs, NeededModalities.Image),
        NeededModality.Audio => Needing(text.Needs, NeededModalities.Audio),
        _ => Needing(text.Needs, NeededModalities.Video),
    };

    private static Tensor Needing(Tensor needs, NeededModalities flag)
    {
        using var mask = tensor((long)flag, device: needs.device);
        return needs.bitwise_and(mask).ne(0);
    }
}
