using System.Collections.Concurrent;
using System.Reflection;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Config.Json;
using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>A built plugin as the host sees it: found, inspected and leased through a catalog of the host's own.</summary>
public sealed class PluginUnderTest
{
    // One catalog for all tests of a plugin: what the suite did to it has to be gone after its unloading, too. Not one for all
    // plugins: one that implements another's kind keeps that one in memory.
    private static readonly ConcurrentDictionary<(Assembly Tests, string Id), PluginCatalog> Catalogs = [];

    private readonly PluginCatalog catalog;

    private PluginUnderTest(PluginCatalog catalog, PluginDescription description)
    {
        this.catalog = catalog;
        Description = description;
        Sample = PluginSample.Read(description.Folder);
    }

    /// <summary>What the host knows of it from metadata.</summary>
    public PluginDescription Description { get; }

    /// <summary>Its <c>sample.json</c>.</summary>
    public PluginSample Sample { get; }

    /// <summary>Validated settings of every use that is tested: the sample's (the defaults when it has none), and its variants.</summary>
    /// <exception cref="ConfigException">The sample's settings are not allowed.</exception>
    public IReadOnlyList<IReadOnlyDictionary<string, object?>> Uses =>
        [.. Sample.Variants.Prepend(Sample.Settings).Select(Settings)];

    /// <summary>Finds a plugin among those whose projects the tests refer to.</summary>
    /// <param name="tests">The tests' assembly; its build has written down where those plugins are.</param>
    /// <param name="id">The plugin's id.</param>
    public static PluginUnderTest Find(Assembly tests, string id)
    {
        var catalog = Catalogs.GetOrAdd((tests, id), key => Discover(key.Tests));
        if (catalog.Find(id) is { } description) return new PluginUnderTest(catalog, description);
        var faults = string.Concat(catalog.Installed.Faults.Select(fault => $"\n  {fault.Folder}: {fault.Message}"));
        Assert.Fail($"No plugin '{id}' is among those that {tests.GetName().Name} refers to{NearestName.Suggestion(id, catalog.Installed.All.Select(plugin => plugin.Id))}{faults}");
        return null!;
    }

    /// <summary>Ids of the plugins that the tests' project refers to and that have no suite in it.</summary>
    /// <param name="tests">The tests' assembly.</param>
    public static IReadOnlyList<string> WithoutSuite(Assembly tests)
    {
        var tested = tests.GetTypes().Where(type => type.IsSubclassOf(typeof(PluginConformance)) && !type.IsAbstract)
            .Select(type => ((PluginConformance)Activator.CreateInstance(type)!).Id).ToHashSet();
        var folders = Folders(tests).ToHashSet();
        using var catalog = Discover(tests);
        return [.. catalog.Installed.All.Where(plugin => folders.Contains(plugin.Folder) && !tested.Contains(plugin.Id)).Select(plugin => plugin.Id)];
    }

    /// <summary>Takes a lease on the plugin.</summary>
    /// <param name="settings">One of <see cref="Uses"/>.</param>
    public PluginLease Lease(IReadOnlyDictionary<string, object?> settings) => catalog.Lease(Description.Id, settings);

    /// <summary>Unloads the plugin and checks that it is gone.</summary>
    public Task<UnloadVerdict> UnloadAsync() => catalog.UnloadAsync(Description.Id, TimeSpan.FromSeconds(5));

    /// <summary>Validates settings.</summary>
    /// <param name="settings">As in a project file; null: the defaults.</param>
    /// <param name="errors">Where errors go.</param>
    public IReadOnlyDictionary<string, object?> Validate(JsonElementNode? settings, List<ConfigError> errors) =>
        SettingsValidator.Validate(Description, new PluginUse(Description.Id, settings, Here), errors);

    internal static JsonLocation Here { get; } = new(PluginSample.FileName, 1, 1, "$");

    private IReadOnlyDictionary<string, object?> Settings(JsonElementNode? settings)
    {
        var errors = new List<ConfigError>();
        var values = Validate(settings, errors);
        return errors.Count == 0 ? values : throw new ConfigException(errors);
    }

    private static PluginCatalog Discover(Assembly tests) => PluginCatalog.Discover([.. Folders(tests).Select(folder => Path.GetDirectoryName(folder)!).Distinct()]);

    // The build notes every assembly that the tests refer to; one in a folder of its own name is a plugin.
    private static IEnumerable<string> Folders(Assembly tests) => tests.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Where(item => item.Key == "PluginHost.Reference").Select(item => item.Value!)
        .Where(file => Path.GetFileName(Path.GetDirectoryName(file)) == Path.GetFileNameWithoutExtension(file))
        .Select(file => Path.GetDirectoryName(file)!);
}
