namespace PluginHost.Catalog;

/// <summary>Plugins that a project is planned with, one of each id. Immutable: what is planned on it stays true.</summary>
public sealed class PluginSet
{
    private readonly Dictionary<string, PluginDescription> byId;

    public PluginSet(IEnumerable<PluginDescription> plugins, IReadOnlyList<PluginFault> faults)
    {
        All = [.. plugins.OrderBy(plugin => plugin.Id, StringComparer.Ordinal)];
        Faults = faults;
        byId = All.ToDictionary(plugin => plugin.Id);
    }

    /// <summary>Plugins by id.</summary>
    public IReadOnlyList<PluginDescription> All { get; }

    /// <summary>What was found and cannot be used.</summary>
    public IReadOnlyList<PluginFault> Faults { get; }

    public PluginDescription? Find(string id) => byId.GetValueOrDefault(id);

    /// <summary>The same plugins, some of them in other versions or added.</summary>
    public PluginSet With(IReadOnlyCollection<PluginDescription> others) =>
        new(All.Where(plugin => others.All(other => other.Id != plugin.Id)).Concat(others), Faults);

    /// <summary>The same plugins without one.</summary>
    public PluginSet Without(string id) => new(All.Where(plugin => plugin.Id != id), Faults);
}
