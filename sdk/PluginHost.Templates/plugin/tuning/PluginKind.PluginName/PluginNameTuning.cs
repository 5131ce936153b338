// Trains chosen modules in place and leaves all else as pretraining made it.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>Settings of <see cref="PluginNameTuning"/>.</summary>
/// <param name="Modules">What is trained.</param>
/// <param name="Rate">Learning rate as a part of pretraining's.</param>
public sealed record PluginNameOptions(
    [property: DefaultValue(new[] { "embedding" }), Description("Modules that are trained, by a part of their name or a pattern of parameters.")] string[]? Modules = null,
    [property: Range(0.0, 10.0), Description("Peak learning rate as a part of pretraining's, for a stage without a 'learningRate'.")] double Rate = 0.1);

/// <summary>Tuning of chosen modules.</summary>
[Plugin("plugin-kind.plugin-name", "Trains chosen modules and freezes the others.")]
public sealed class PluginNameTuning(PluginNameOptions options) : ITuningPlugin
{
    /// <inheritdoc/>
    public ITuning Begin(TuningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new InPlace([.. context.Modules(options.Modules ?? ["embedding"]).Select(item => new TunedParameter(item.Name, item.Value))], options.Rate);
    }

    private sealed record InPlace(IReadOnlyList<TunedParameter> Parameters, double RateOfPretraining) : ITuning
    {
        // Nothing is saved apart from the model.
        public JsonObject? Config => null;

        public bool CanMerge => false;

        public AdapterSet Adapters(BatchMedia media) => AdapterSet.None;

        public void Train(bool on)
        {
        }

        public void Merge() => throw new InvalidOperationException("The weights themselves are trained: there is nothing to merge.");

        public void Unmerge() => throw new InvalidOperationException("The adapter is not merged.");

        public void Dispose()
        {
        }
    }
}
