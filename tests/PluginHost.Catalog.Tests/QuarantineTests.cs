using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests;

public class QuarantineTests
{
    private const string Id = "metric.fault-call";
    private static readonly Dictionary<string, object?> Defaults = [];
    private static readonly Prediction Any = new("", new Turn("", "", ""), "");
    private static readonly Prediction[] Good = [Any, Any];

    private static PluginCatalog Discover(TimeSpan? backoff = null, TimeProvider? clock = null) =>
        PluginCatalog.Discover([FixturePlugins.Faults, FixturePlugins.Pins], quarantine: new QuarantineOptions(3, TimeSpan.FromMinutes(1), backoff ?? TimeSpan.FromHours(1)), clock: clock);

    private static void Fail(ITextMetric metric, int times)
    {
        for (var i = 0; i < times; i++) Assert.Throws<PluginFailedException>(() => metric.Compute([]));
    }

    private static PluginEventKind[] Events(PluginCatalog catalog)
    {
        var events = new List<PluginEvent>();
        catalog.Events.Subscribe(new Recorder(events)).Dispose();
        return [.. events.Where(item => item.Id == Id && item.Kind >= PluginEventKind.Faulted).Select(item => item.Kind)];
    }

    [Fact]
    public void Call_AfterNFailures_IsRefusedAndTheOthersGoOn()
    {
        using var catalog = Discover();
        using var lease = catalog.Lease(Id, Defaults);
        var metric = lease.Guarded<ITextMetric>();

        Fail(metric, 3);

        var refusal = Assert.Throws<PluginQuarantinedException>(() => metric.Compute(Good));
        Assert.StartsWith($"{Id} is in quarantine (3 failures within 60 s, the last: {Id} failed while computing: FaultException: in the call); it is tried again after ", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith($"or by 'pluginhost plugins restore {Id}'", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<PluginQuarantinedException>(() => catalog.Lease(Id, Defaults));
        catalog.Lease("metric.pin-type", Defaults).Dispose();
        Assert.Equal([PluginEventKind.Faulted, PluginEventKind.Faulted, PluginEventKind.Faulted, PluginEventKind.Quarantined], Events(catalog));
    }

    [Fact]
    public void Call_FailuresFarApart_AreForgotten()
    {
        var clock = new FakeTimeProvider();
        using var catalog = Discover(clock: clock);
        using var lease = catalog.Lease(Id, Defaults);
        var metric = lease.Guarded<ITextMetric>();

        for (var i = 0; i < 4; i++)
        {
            Fail(metric, 1);
            clock.Advance(TimeSpan.FromSeconds(31));
        }

        Assert.Equal(1, metric.Compute(Good)[0].Value);
    }

    [Fact]
    public void Restore_ByCommand_LetsCallsThrough()
    {
        using var catalog = Discover();
        using var lease = catalog.Lease(Id, Defaults);
        var metric = lease.Guarded<ITextMetric>();
        Fail(metric, 3);

        catalog.Restore(Id);

        Assert.Equal(1, metric.Compute(Good)[0].Value);
        Assert.Equal(PluginEventKind.Restored, Events(catalog)[^1]);
    }

    [Fact]
    public void Quarantine_ByCommand_HoldsUntilRestored()
    {
        using var catalog = Discover(backoff: TimeSpan.Zero);
        using var lease = catalog.Lease(Id, Defaults);

        catalog.Quarantine(Id, "the operator does not like it");

        var refusal = Assert.Throws<PluginQuarantinedException>(() => lease.Guarded<ITextMetric>().Compute(Good));
        Assert.Equal($"{Id} is in quarantine (the operator does not like it); it comes back by 'pluginhost plugins restore {Id}'", refusal.Message);
    }

    [Fact]
    public void Call_AfterTheBackoff_IsAProbe()
    {
        var clock = new FakeTimeProvider();
        using var catalog = Discover(TimeSpan.FromSeconds(30), clock);
        using var lease = catalog.Lease(Id, Defaults);
        var metric = lease.Guarded<ITextMetric>();
        Fail(metric, 3);
        clock.Advance(TimeSpan.FromSeconds(30));

        Fail(metric, 1); // the probe: back again, for twice as long
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Throws<PluginQuarantinedException>(() => metric.Compute(Good));
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(1, metric.Compute(Good)[0].Value);
        Fail(metric, 1); // one failure does not count as three
        Assert.Equal(1, metric.Compute(Good)[0].Value);
    }

    [Fact]
    public void Telemetry_Calls_AreCountedAndMeasured()
    {
        using var catalog = Discover();
        using var lease = catalog.Lease(Id, Defaults);
        lease.NativeBytes = 4096;
        var metric = lease.Guarded<ITextMetric>();
        metric.Compute(Good);
        Fail(metric, 2);

        var telemetry = catalog.Telemetry.Single(item => item.Id == Id);

        Assert.Equal((3, 2, 4096, null), (telemetry.Calls, telemetry.Failures, telemetry.NativeBytes, telemetry.Quarantine));
        Assert.True(telemetry.Time > TimeSpan.Zero);
        var measured = new Dictionary<string, object>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) => { if (instrument.Meter.Name == "PluginHost.Catalog") self.EnableMeasurementEvents(instrument); };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => { if (tags.Length > 0 && Id.Equals(tags[0].Value) && value > 0) measured[instrument.Name] = value; });
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.True(measured.ContainsKey("pluginhost.plugin.calls") && measured.ContainsKey("pluginhost.plugin.failures") && measured.ContainsKey("pluginhost.plugin.native"));
    }

    private sealed class Recorder(List<PluginEvent> events) : IObserver<PluginEvent>
    {
        public void OnNext(PluginEvent value) => events.Add(value);

        public void OnError(Exception error) => throw error;

        public void OnCompleted()
        {
        }
    }
}
