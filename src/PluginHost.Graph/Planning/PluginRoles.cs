using PluginHost.Catalog;
using PluginHost.Catalog.Isolation;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Graph.Planning;

/// <summary>A place in a project where a plugin stands.</summary>
/// <param name="Wanted">For messages: <c>a source</c>.</param>
/// <param name="Accepts">Whether a plugin may stand there.</param>
internal sealed record PluginRole(string Wanted, Func<PluginDescription, bool> Accepts)
{
    // Of these kinds a plugin that implements something else is never installed.
    private static readonly string[] NotNodes = ["source", "media", "tokenizer", "objective", "metric", "filter", "transform", "weighting", "tuning", "template", "constraint", "tool", "index", "retriever", "reranker"];

    public static PluginRole Source { get; } = OfKind("a source", "source");

    public static PluginRole Tokenizer { get; } = OfKind("a tokenizer", "tokenizer");

    public static PluginRole Media { get; } = OfKind("a media decoder", "media");

    public static PluginRole Objective { get; } = OfKind("an objective", "objective");

    public static PluginRole Metric { get; } = OfKind("a metric", "metric");

    public static PluginRole Filter { get; } = OfKind("a filter", "filter");

    public static PluginRole Transform { get; } = OfKind("a transform", "transform");

    public static PluginRole Template { get; } = OfKind("a library of templates", "template");

    public static PluginRole Weighting { get; } = OfKind("a weighting", "weighting");

    public static PluginRole Tuning { get; } = OfKind("a tuning", "tuning");

    public static PluginRole Node { get; } = new("a graph node (encoder, fusion, decoder, ...)", plugin => !NotNodes.Contains(plugin.Kind) && plugin.Implements<INodePlugin>());

    private static PluginRole OfKind(string wanted, string kind) => new(wanted, plugin => plugin.Kind == kind);
}

/// <summary>Finds the plugin of each use, checks that it may stand there, and resolves its settings.</summary>
internal sealed class PluginResolver(PluginSet plugins, ITrainedModels? models, List<ConfigError> errors)
{
    private static readonly string[] Capabilities = [Capability.EmbeddingGenerator, Capability.TextScorer];

    /// <summary>The plugin with its settings, or null with an error.</summary>
    public PlannedPlugin? Resolve(PluginUse use, PluginRole role)
    {
        if (plugins.Find(use.Id) is not { } plugin)
        {
            errors.Add(new ConfigError(use.Location, Unknown(use.Id, role)));
            return null;
        }
        if (!role.Accepts(plugin))
        {
            errors.Add(new ConfigError(use.Location, $"{use.Id} is of kind '{plugin.Kind}', but {role.Wanted} is expected here; installed: {Installed(role)}"));
            return null;
        }
        if (plugin.Isolation is not null && IsolationRules.Refusal(plugin) is { } refusal)
        {
            errors.Add(new ConfigError(use.Location, $"{refusal}; take it out of 'isolation' in the host file, or use another plugin"));
            return null;
        }
        var settings = SettingsValidator.Validate(plugin, use, errors);
        return new PlannedPlugin(plugin, settings) { Requirements = [.. plugin.Requires.Select(item => Supply(item, plugin, use, role, settings)).OfType<PlannedRequirement>()] };
    }

    // Null when nothing is to be supplied, or with an error.
    private PlannedRequirement? Supply(RequirementDescription wanted, PluginDescription plugin, PluginUse use, PluginRole role, IReadOnlyDictionary<string, object?> settings)
    {
        var run = wanted.Option is null ? null : settings[wanted.Option] as string;
        if (wanted.Optional && run is null) return null;
        var location = (wanted.Option is null ? null : use.Settings?.Find(wanted.Option)?.Location) ?? use.Location;
        var needs = $"{plugin.Id} requires '{wanted.Capability}'";
        var problem =
            !Capabilities.Contains(wanted.Capability) ? $"{needs}, which this host does not supply{NearestName.Suggestion(wanted.Capability, Capabilities)}"
            : role != PluginRole.Filter && role != PluginRole.Metric ? $"{needs}, which this host supplies to filters and metrics alone, not to {role.Wanted}"
            : wanted.Option is null ? $"{needs}, but has no setting that names a trained run ('From' of its [Requires]), and this host has it from trained runs alone"
            : run is null ? $"{needs} of a trained run: name one in '{wanted.Option}', by its folder, its name, or 'latest'"
            : models?.Refusal(wanted.Capability, run) is { } refusal ? $"'{wanted.Option}' of {plugin.Id}: {refusal}"
            : null;
        if (problem is null) return new PlannedRequirement(wanted.Capability, wanted.Option!, run!);
        errors.Add(new ConfigError(location, problem));
        return null;
    }

    /// <summary>Every installed plugin of a role with its defaults, those that take any file last.</summary>
    public IReadOnlyList<PlannedPlugin> All(PluginRole role) =>
        [.. plugins.All.Where(role.Accepts).OrderBy(plugin => plugin.Accepts.Contains("*"))
            .Select(plugin => new PlannedPlugin(plugin, plugin.Options.ToDictionary(option => option.Name, option => option.Default)))];

    private string Unknown(string id, PluginRole role)
    {
        var fault = plugins.Faults.FirstOrDefault(fault => string.Equals(Bare(Path.GetFileName(fault.Folder)), Bare(id), StringComparison.OrdinalIgnoreCase));
        if (fault is not null) return $"{id} is installed in {fault.Folder}, but cannot be used: {fault.Message}";
        var nearest = NearestName.Of(id, plugins.All.Select(plugin => plugin.Id));
        return $"no plugin '{id}' is installed; {(nearest is null ? $"installed here: {Installed(role)}" : $"did you mean '{nearest}'?")}";
    }

    private string Installed(PluginRole role)
    {
        var ids = plugins.All.Where(role.Accepts).Select(plugin => plugin.Id).ToArray();
        return ids.Length == 0 ? "none" : string.Join(", ", ids);
    }

    private static string Bare(string name) => name.Replace("-", "", StringComparison.Ordinal);
}
