using System.Diagnostics.Metrics;

namespace PluginHost.Catalog.Health;

/// <summary>The catalog's figures as metrics of the meter <c>PluginHost.Catalog</c>. Keyed by plugin id, never by a plugin's type.</summary>
internal sealed class CatalogMeter : IDisposable
{
    private readonly Meter meter = new("PluginHost.Catalog");

    public CatalogMeter(PluginCatalog catalog)
    {
        IEnumerable<Measurement<T>> Each<T>(Func<PluginTelemetry, T> value) where T : struct =>
            catalog.Telemetry.Select(plugin => new Measurement<T>(value(plugin), new KeyValuePair<string, object?>("plugin", plugin.Id)));

        meter.CreateObservableGauge("pluginhost.plugins.pinned", () => catalog.Pinned.Count, "{context}", "Load contexts that were unloaded and are in memory still.");
        meter.CreateObservableCounter("pluginhost.plugin.calls", () => Each(plugin => plugin.Calls), "{call}", "Calls that have ended.");
        meter.CreateObservableCounter("pluginhost.plugin.failures", () => Each(plugin => plugin.Failures), "{failure}", "Failures, in calls and outside of them.");
        meter.CreateObservableCounter("pluginhost.plugin.time", () => Each(plugin => plugin.Time.TotalSeconds), "s", "Time spent in calls.");
        meter.CreateObservableGauge("pluginhost.plugin.native", () => Each(plugin => plugin.NativeBytes), "By", "Native memory of parameters and buffers.");
        meter.CreateObservableGauge("pluginhost.plugin.quarantined", () => Each(plugin => plugin.Quarantine is null ? 0 : 1), "{plugin}", "1 while in quarantine.");
    }

    public void Dispose() => meter.Dispose();
}
