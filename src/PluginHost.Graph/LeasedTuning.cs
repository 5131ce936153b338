using PluginHost.Catalog;
using PluginHost.Sdk;

namespace PluginHost.Graph;

/// <summary>A tuning plugin whose calls, and those of what it begins, are counted and contained.</summary>
public sealed class LeasedTuning(PluginLease lease) : ITuningPlugin
{
    public ITuning Begin(TuningContext context) => lease.Guarded(lease.Guarded<ITuningPlugin>().Begin(context));
}
