// Every weight trains, at a lower rate than in pretraining. Layer-wise decay (Clark et al. 2020, ELECTRA): of a node with n layers, layer i learns at
// rate · d^(n − i), what comes before the layers at rate · d^(n + 1), and what comes after them at the rate itself.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PluginHost.Sdk;

namespace Tuning.Full;

/// <summary>Settings of <see cref="FullTuning"/>.</summary>
public sealed record FullOptions(
    [property: Range(0.0, 1.0), Description("Peak learning rate as a part of pretraining's, for a stage without a 'learningRate'.")] double Rate = 0.1,
    [property: Range(0.01, 1.0), Description("Factor from each layer to the one below it: those near the input learn more slowly. 1: all alike.")] double LayerDecay = 1);

/// <summary>Full tuning.</summary>
[Plugin("tuning.full", "Trains every weight, by default at a tenth of pretraining's rate, with an optional decay from layer to layer.")]
[Cost(Parameters = "P")]
public sealed class FullTuning(FullOptions options) : ITuningPlugin
{
    /// <inheritdoc/>
    public ITuning Begin(TuningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new Tuned(options.Rate, [.. context.Nodes.SelectMany(node => Decay.Of(node, options.LayerDecay))]);
    }

    private sealed class Tuned(double rate, IReadOnlyList<TunedParameter> parameters) : ITuning
    {
        public IReadOnlyList<TunedParameter> Parameters => parameters;

        public double RateOfPretraining => rate;

        public JsonObject? Config => null;

        public bool CanMerge => false;

        public AdapterSet Adapters(BatchMedia media) => AdapterSet.None;

        public void Train(bool on)
        {
        }

        public void Merge() => throw new InvalidOperationException("Full tuning trains the weights themselves: there is nothing to merge.");

        public void Unmerge() => throw new InvalidOperationException("Full tuning trains the weights themselves: there is nothing to unmerge.");

        public void Dispose()
        {
        }
    }
}

internal static partial class Decay
{
    /// <summary>A node's parameters with their rates.</summary>
    public static IEnumerable<TunedParameter> Of(TunedNode node, double decay)
    {
        var layers = node.Parameters.Select(item => Layer(item.Name)).ToArray();
        var (count, first) = ((layers.Max() ?? -1) + 1, Array.FindIndex(layers, layer => layer is not null));
        return node.Parameters.Select((item, i) => new TunedParameter(item.Name, item.Value, count == 0 ? 1 : Math.Pow(decay, layers[i] is { } layer ? count - layer : i < first ? count + 1 : 0)));
    }

    private static int? Layer(string name) => LayerNumber().Match(name) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"\.layers\.(\d+)\.")]
    private static partial Regex LayerNumber();
}
