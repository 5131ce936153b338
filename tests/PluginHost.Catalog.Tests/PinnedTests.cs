using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests;

public class PinnedTests
{
    private static readonly List<object> Kept = [];

    private static async Task<UnloadVerdict> UseAndUnload(PluginCatalog catalog, string id)
    {
        Use(catalog, id);
        return await catalog.UnloadAsync(id, TimeSpan.FromSeconds(5));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Use(PluginCatalog catalog, string id)
    {
        using var lease = catalog.Lease(id, new Dictionary<string, object?>());
        try
        {
            lease.As<ITextMetric>().Compute([]);
        }
        catch (Exception error)
        {
            Kept.Add(error);
        }
        if (id == "metric.pin-type") Kept.Add(lease.As<ITextMetric>().GetType());
    }

    [Theory]
    [InlineData("metric.pin-timer", "TimerQueue", "Fixture.Pins.TimerPin")]
    [InlineData("metric.pin-event", "static field AppDomain.", "Fixture.Pins.EventPin")]
    [InlineData("metric.pin-handle", "GC handle (strong)", "Fixture.Pins.HandlePin")]
    [InlineData("metric.pin-thread", "thread ", "Fixture.Pins.ThreadPin.Loop")]
    [InlineData("metric.pin-exception", "static field PluginHost.Catalog.Tests.PinnedTests.Kept", "Fixture.Pins.PinException")]
    [InlineData("metric.pin-type", "static field PluginHost.Catalog.Tests.PinnedTests.Kept", "typeof(Fixture.Pins.TypePin)")]
    public async Task Unload_PinnedPlugin_NamesTheRootAndTheCulprit(string id, string root, string culprit)
    {
        using var catalog = PluginCatalog.Discover([FixturePlugins.Pins]);

        var verdict = await UseAndUnload(catalog, id);

        Assert.Equal(UnloadOutcome.Pinned, verdict.Outcome);
        Assert.StartsWith("pinned by ", verdict.Detail, StringComparison.Ordinal);
        Assert.Contains(root, verdict.Detail, StringComparison.Ordinal);
        Assert.EndsWith(culprit, verdict.Detail, StringComparison.Ordinal);
        var pinned = Assert.Single(catalog.Pinned);
        Assert.Equal((id, verdict.Detail), (pinned.Id, $"pinned by {pinned.Path}"));
    }

    [Fact]
    public async Task Pinned_PluginLetGoLater_LeavesTheListAndTheMetric()
    {
        using var catalog = PluginCatalog.Discover([FixturePlugins.Pins]);
        var keeper = new List<object>();
        Keep(catalog, keeper);
        await catalog.UnloadAsync("metric.pin-type", TimeSpan.FromSeconds(5));
        Assert.Contains(1, Measure());

        keeper.Clear();
        for (var i = 0; i < 10 && catalog.Pinned.Count > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Empty(catalog.Pinned);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep(PluginCatalog catalog, List<object> keeper)
    {
        using var lease = catalog.Lease("metric.pin-type", new Dictionary<string, object?>());
        keeper.Add(lease.As<ITextMetric>().GetType());
    }

    // Other tests' catalogs are measured too.
    private static List<int> Measure()
    {
        var values = new List<int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) => { if (instrument.Name == "pluginhost.plugins.pinned") self.EnableMeasurementEvents(instrument); };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => values.Add(value));
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }
}
