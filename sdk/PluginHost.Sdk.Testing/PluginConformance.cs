using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Config.Json;
using Xunit;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>
/// What the host expects of every plugin. A plugin's tests have one class that derives from the suite of its kind and names the id;
/// what it is tried with stands in its <c>sample.json</c>. The plugin is loaded from its folder by the host's own catalog, so that
/// what passes here works there.
/// </summary>
public abstract class PluginConformance
{
    private readonly Lazy<PluginUnderTest> plugin;

    /// <summary>Prepares the suite; nothing is loaded yet.</summary>
    protected PluginConformance() => plugin = new(() => PluginUnderTest.Find(GetType().Assembly, Id));

    /// <summary>The id of the plugin that is tested: <c>fusion.mid</c>.</summary>
    public abstract string Id { get; }

    /// <summary>The kind that the suite is for.</summary>
    public abstract string Kind { get; }

    /// <summary>The plugin.</summary>
    protected PluginUnderTest Plugin => plugin.Value;

    /// <summary>Uses the plugin through its kind's interface, once for each of <see cref="PluginUnderTest.Uses"/>; keeps nothing.</summary>
    protected abstract void UseOnce();

    /// <summary>The surroundings of a build.</summary>
    /// <param name="cancellation">Ends the build.</param>
    protected BuildContext Surroundings(CancellationToken cancellation = default) => new()
    {
        Device = CPU,
        Seed = 7,
        Logger = NullLogger.Instance,
        ContentFolder = Plugin.Description.Folder,
        Cancellation = cancellation,
        Supplied = [.. Plugin.Description.Requires.Select(item => Fake(item.Capability)).OfType<object>()],
    };

    /// <summary>What stands in for a capability that the plugin requires; null: nothing.</summary>
    /// <param name="capability">One of <see cref="Capability"/>.</param>
    protected virtual object? Fake(string capability) => capability switch
    {
        Capability.EmbeddingGenerator => new FakeEmbeddingGenerator(),
        Capability.TextScorer => new FakeTextScorer(),
        _ => null,
    };

    /// <summary>The host finds the plugin, and it says what it is and what its settings mean.</summary>
    [Fact]
    public void Plugin_Inspected_IsOfItsKindAndExplainsItself()
    {
        Assert.Equal(Kind, Plugin.Description.Kind);
        Assert.NotEmpty(Plugin.Description.Summary);
        foreach (var option in Plugin.Description.Options)
            Assert.True(option.Description is { Length: > 0 }, $"setting '{option.Name}' of {Id} has no [Description]");
    }

    /// <summary>Defaults, the sample's settings and its variants are allowed.</summary>
    [Fact]
    public void Settings_DefaultsAndSample_AreAllowed()
    {
        var errors = new List<ConfigError>();
        Plugin.Validate(null, errors);
        Assert.Empty(errors);
        Assert.NotEmpty(Plugin.Uses);
    }

    /// <summary>A number just outside its range is refused with an error that names setting and range.</summary>
    [Fact]
    public void Settings_BeyondABound_AreRefused()
    {
        foreach (var option in Plugin.Description.Options)
        {
            if (option.Minimum is { } minimum) Refused(option, minimum - 1);
            if (option.Maximum is { } maximum) Refused(option, maximum + 1);
        }
    }

    /// <summary>A setting that does not exist is refused.</summary>
    [Fact]
    public void Settings_Unknown_AreRefused()
    {
        var error = Assert.Single(Errors("no-such-setting", JsonElementNode.Null(PluginUnderTest.Here)));
        Assert.Contains("no-such-setting", error.Message, StringComparison.Ordinal);
    }

    /// <summary>After use, nothing of the plugin stays in memory: neither a static nor a cache nor a timer holds it.</summary>
    [Fact]
    public async Task Plugin_UsedAndUnloaded_LeavesNothingInMemory()
    {
        UseAndForget();
        var verdict = await Plugin.UnloadAsync();
        Assert.True(verdict.Outcome == UnloadOutcome.Unloaded, $"{Id} is {verdict.Outcome}: {verdict.Detail}");
    }

    // A frame of its own, so that no local of the test's keeps a plugin object.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void UseAndForget()
    {
        using var scope = NewDisposeScope();
        UseOnce();
    }

    private void Refused(OptionDescription option, double value)
    {
        // What a 32-bit or 64-bit number cannot hold is refused for that reason.
        if (value is < long.MinValue or > long.MaxValue) return;
        var number = JsonElementNode.Number(PluginUnderTest.Here, value.ToString("R", CultureInfo.InvariantCulture));
        var error = Assert.Single(Errors(option.Name, option.Array ? JsonElementNode.Array(PluginUnderTest.Here, [number]) : number));
        Assert.Contains($"'{option.Name}'", error.Message, StringComparison.Ordinal);
    }

    private List<ConfigError> Errors(string name, JsonElementNode value)
    {
        var errors = new List<ConfigError>();
        Plugin.Validate(JsonElementNode.Object(PluginUnderTest.Here, [new JsonMember(name, PluginUnderTest.Here, value)]), errors);
        return errors;
    }
}
