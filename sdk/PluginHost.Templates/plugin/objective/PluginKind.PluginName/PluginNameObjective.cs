// Mean squared distance of two pooled vectors of one length:  Σ ½ |q − k|²
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginKind.PluginName;

/// <summary>Draws the pooled vectors of two encoders together.</summary>
[Plugin("plugin-kind.plugin-name", "Squared distance between the pooled vectors of two encoders.")]
[Input("query", "f[B,D]")]
[Input("key", "f[B,D]")]
[Cost(Parameters = "0", Activations = "B*D")]
public sealed class PluginNameObjective(PluginNameOptions options) : INodePlugin
{
    /// <inheritdoc/>
    public IGraphNode Build(BuildContext context) => new Distance(options.Scale);
}

/// <summary>Settings of <see cref="PluginNameObjective"/>.</summary>
public sealed record PluginNameOptions(
    [property: Range(0.001, 1000.0), Description("Factor of the loss.")] double Scale = 1);

internal sealed class Distance(double scale) : IObjective
{
    // A mean already: each micro-batch counts as one.
    public double Count(ReadOnlySpan<object?> inputs) => 1;

    public Tensor Sum(ReadOnlySpan<object?> inputs)
    {
        var (query, key) = ((Tensor)inputs[0]!, (Tensor)inputs[1]!);
        // A row without the modality is all zeros, and takes no part.
        var present = query.ne(0).any(1).logical_and(key.ne(0).any(1)).unsqueeze(1);  // [B, 1]
        return ((query - key) * present).square().mean() * (scale / 2);
    }
}
