using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace Tuning.Lora;

/// <summary>The adapters of a graph, which are attached and merged together.</summary>
internal sealed class LoraAdapters(IReadOnlyList<(string Name, LoraAdapter Adapter)> adapters, IReadOnlyList<TunedParameter> modules, JsonObject config) : ITuning
{
    private readonly AdapterSet set = new(adapters.ToDictionary(item => item.Adapter.Projection, item => (IProjectionAdapter)item.Adapter), AdapterSet.None.Slots);
    private bool merged;

    public IReadOnlyList<TunedParameter> Parameters { get; } =
        [.. adapters.SelectMany(item => item.Adapter.Parameters.Select(own => new TunedParameter($"{LoraTuning.Prefix}{item.Name}.{own.Name}", own.Value))), .. modules];

    public double RateOfPretraining => 1;

    public JsonObject Config => config;

    public bool CanMerge => true;

    public AdapterSet Adapters(BatchMedia media) => merged ? AdapterSet.None : set;

    public void Train(bool on)
    {
        foreach (var (_, adapter) in adapters) adapter.Training = on;
    }

    public void Merge()
    {
        if (merged) throw new InvalidOperationException("The adapter is merged already; a second time would add it twice. Unmerge it first.");
        foreach (var (_, adapter) in adapters) adapter.Merge();
        merged = true;
    }

    public void Unmerge()
    {
        if (!merged) throw new InvalidOperationException("The adapter is not merged.");
        foreach (var (_, adapter) in adapters) adapter.Unmerge();
        merged = false;
    }

    public void Dispose()
    {
        foreach (var (_, adapter) in adapters) adapter.Dispose();
    }
}
