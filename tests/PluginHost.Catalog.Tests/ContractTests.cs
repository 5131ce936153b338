using System.Runtime.CompilerServices;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests;

public sealed class ContractTests : IDisposable
{
    private static readonly Dictionary<string, object?> Defaults = [];
    private readonly FixturePlugins fixtures = new();

    public void Dispose() => fixtures.Dispose();

    [Fact]
    public async Task Plugin_OfAKindThatAnotherPackageDefines_IsKnownByItAndBothUnload()
    {
        using var catalog = PluginCatalog.Discover([FixturePlugins.Contracts]);
        Assert.Equal(["Fixture.Kind.Contract"], catalog.Find("greeter.warm")!.Contracts);

        Assert.Equal("welcome, host", Meet(catalog));

        Assert.Equal(UnloadOutcome.Unloaded, (await catalog.UnloadAsync("metric.polite", TimeSpan.FromSeconds(5))).Outcome);
        Assert.Equal("it was not loaded", (await catalog.UnloadAsync("greeter.warm", TimeSpan.FromSeconds(5))).Detail); // went first
    }

    [Fact]
    public async Task Unload_OfAContractInUse_IsRefusedAndNamesTheUser()
    {
        using var catalog = PluginCatalog.Discover([FixturePlugins.Contracts]);
        using var user = catalog.Lease("greeter.warm", Defaults);
        catalog.Lease("metric.polite", Defaults).Dispose();

        var verdict = await catalog.UnloadAsync("metric.polite", TimeSpan.FromMilliseconds(100));

        Assert.Equal(UnloadOutcome.Pinned, verdict.Outcome);
        Assert.StartsWith("greeter.warm uses its contract and has to be unloaded first: 1 leases are held", verdict.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Discover_ContractThatNoPackageBrings_IsAFault()
    {
        fixtures.Copy("Fixture.KindUser", from: FixturePlugins.Contracts);
        using var catalog = fixtures.Discover();

        Assert.StartsWith("Fixture.KindUser needs Fixture.Kind.Contract ", Assert.Single(catalog.Installed.Faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plugins_WithDifferentMajorVersionsOfALibrary_WorkSideBySide()
    {
        using var catalog = PluginCatalog.Discover([FixturePlugins.Contracts]);
        using var first = catalog.Lease("metric.first", Defaults);
        using var second = catalog.Lease("metric.second", Defaults);

        Assert.Equal(
            ["library 1", "library 2", "library 1"],
            new[] { first, second, first }.Select(lease => lease.Guarded<ITextMetric>().Compute([])[0].Note));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string? Meet(PluginCatalog catalog)
    {
        using var greeter = catalog.Lease("greeter.warm", Defaults);
        using var host = catalog.Lease("metric.polite", Defaults);
        AppDomain.CurrentDomain.SetData("guest", greeter.As<object>());
        try
        {
            return host.As<ITextMetric>().Compute([])[0].Note;
        }
        finally
        {
            AppDomain.CurrentDomain.SetData("guest", null);
        }
    }
}
