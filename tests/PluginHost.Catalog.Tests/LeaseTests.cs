using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests;

public class LeaseTests
{
    private static readonly MediaFormat Format = new(1, 8000, 1);
    private static readonly Dictionary<string, object?> Defaults = [];

    private static PluginCatalog Discover() => PluginCatalog.Discover([FixturePlugins.Loading]);

    private static List<PluginEvent> EventsOf(PluginCatalog catalog)
    {
        var events = new List<PluginEvent>();
        catalog.Events.Subscribe(new Recorder(events)).Dispose();
        return events;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string Tell(PluginCatalog catalog, Dictionary<string, object?> settings)
    {
        using var lease = catalog.Lease("media.plain", settings);
        return ((MediaFile)lease.As<IMediaDecoder>().Decode("", "image", Format, default)).Path;
    }

    [Fact]
    public void Lease_Defaults_BindsThePrimaryConstructor()
    {
        using var catalog = Discover();

        Assert.Equal("64 4 5000000000 0.25 True plain Loud none  ", Tell(catalog, Defaults));
    }

    [Fact]
    public void Lease_Settings_BindsEveryType()
    {
        using var catalog = Discover();
        var settings = new Dictionary<string, object?>
        {
            ["width"] = 16L,
            ["heads"] = 2L,
            ["big"] = 7L,
            ["rate"] = 0.5,
            ["stem"] = false,
            ["name"] = "x",
            ["tone"] = "softGrey",
            ["words"] = new[] { "a", "b" },
            ["sizes"] = new[] { 1L, 2L },
            ["limit"] = 9L,
        };

        Assert.Equal("16 2 7 0.5 False x SoftGrey a+b 1+2 9", Tell(catalog, settings));
    }

    [Fact]
    public void Lease_UnknownId_SuggestsTheNearest()
    {
        using var catalog = Discover();

        var error = Assert.Throws<UserErrorException>(() => catalog.Lease("media.plane", Defaults));

        Assert.Equal("no plugin 'media.plane' is installed; did you mean 'media.plain'?", error.Message);
    }

    [Fact]
    public void As_OtherInterface_NamesItAndThePlugin()
    {
        using var catalog = Discover();
        using var lease = catalog.Lease("media.plain", Defaults);

        var error = Assert.Throws<UserErrorException>(lease.As<ISourcePlugin>);

        Assert.StartsWith("media.plain does not implement ISourcePlugin", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lease_ConstructorThatThrows_GivesAHostExceptionThatDoesNotPin()
    {
        using var catalog = Discover();

        var error = Assert.Throws<PluginFailedException>(() => catalog.Lease("media.throwing", Defaults));

        Assert.Equal("media.throwing failed while being created: OddException: no luck", error.Message);
        Assert.Null(error.InnerException);
        Assert.Equal(UnloadOutcome.Unloaded, (await catalog.UnloadAsync("media.throwing", TimeSpan.FromSeconds(5))).Outcome);
        Assert.Contains(EventsOf(catalog), item => item.Kind == PluginEventKind.Faulted && item.Id == "media.throwing");
    }

    [Fact]
    public void Lease_PrivateSkia_IsThePluginsOwnWithItsNative()
    {
        using var catalog = Discover();
        using var lease = catalog.Lease("media.skia", Defaults);

        var picture = (Picture)lease.As<IMediaDecoder>().Decode("", "image", Format, default);

        Assert.Equal([255, 0, 0], picture.Rgb);
        var context = AssemblyLoadContext.GetLoadContext(lease.As<IMediaDecoder>().GetType().Assembly)!;
        Assert.NotSame(AssemblyLoadContext.Default, context);
        Assert.True(context.IsCollectible);
        Assert.Contains(context.Assemblies, assembly => assembly.GetName().Name == "SkiaSharp");
        Assert.DoesNotContain(context.Assemblies, assembly => assembly.GetName().Name is "TorchSharp" or "PluginHost.Sdk");
        Assert.Empty(context.Assemblies.First(assembly => assembly.GetName().Name == "SkiaSharp").Location);
    }

    [Fact]
    public async Task Unload_AfterUse_IsUnloadedAndCanBeLeasedAgain()
    {
        using var catalog = Discover();
        Tell(catalog, Defaults);

        var verdict = await catalog.UnloadAsync("media.plain", TimeSpan.FromSeconds(5));

        Assert.Equal(UnloadOutcome.Unloaded, verdict.Outcome);
        Assert.Equal("its load context has been collected", verdict.Detail);
        Assert.StartsWith("64 4 ", Tell(catalog, Defaults), StringComparison.Ordinal);
        Assert.Equal(
            [PluginEventKind.Inspected, PluginEventKind.Loaded, PluginEventKind.Activated, PluginEventKind.Drained, PluginEventKind.Unloaded, PluginEventKind.Loaded, PluginEventKind.Activated],
            EventsOf(catalog).Where(item => item.Id == "media.plain").Select(item => item.Kind));
    }

    [Fact]
    public async Task Unload_WithALeaseHeld_RefusesNewLeasesAndThenGoesOnServing()
    {
        using var catalog = Discover();
        using var lease = catalog.Lease("media.plain", Defaults);

        var unloading = catalog.UnloadAsync("media.plain", TimeSpan.FromMilliseconds(300));
        Assert.Throws<UserErrorException>(() => catalog.Lease("media.plain", Defaults));
        var verdict = await unloading;

        Assert.Equal(UnloadOutcome.Pinned, verdict.Outcome);
        Assert.StartsWith("1 leases are held", verdict.Detail, StringComparison.Ordinal);
        catalog.Lease("media.plain", Defaults).Dispose();
    }

    [Fact]
    public async Task Unload_LeaseReturnedWhileDraining_Unloads()
    {
        using var catalog = Discover();
        var unloading = LeaseAndStartUnloading(catalog, out var release);

        release();

        Assert.Equal(UnloadOutcome.Unloaded, (await unloading).Outcome);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<UnloadVerdict> LeaseAndStartUnloading(PluginCatalog catalog, out Action release)
    {
        var lease = catalog.Lease("media.plain", Defaults);
        release = lease.Dispose;
        return catalog.UnloadAsync("media.plain", TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Unload_PluginThatLeavesATimer_IsPinned()
    {
        using var catalog = Discover();
        catalog.Lease("media.pinning", Defaults).Dispose();

        Assert.Equal(UnloadOutcome.Pinned, (await catalog.UnloadAsync("media.pinning", TimeSpan.FromSeconds(5))).Outcome);
        Assert.Contains(EventsOf(catalog), item => item.Kind == PluginEventKind.Pinned && item.Id == "media.pinning");
    }

    [Fact]
    public async Task Unload_NeverLoaded_IsUnloaded()
    {
        using var catalog = Discover();

        Assert.Equal("it was not loaded", (await catalog.UnloadAsync("media.plain", TimeSpan.FromSeconds(5))).Detail);
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
