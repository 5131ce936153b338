using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Which node of a finished project a node of another one takes its weights from.</summary>
public static class ModelOrigin
{
    /// <summary>The name of the node: the one of the same name and plugin, or the only one of that plugin; null when there is none.</summary>
    /// <param name="projectFile">The finished project.</param>
    /// <param name="node">The other project's node.</param>
    /// <param name="plugin">The plugin that the node uses.</param>
    public static string? NodeFor(string projectFile, string node, string plugin) =>
        ModelReferences.Origin(JsonTreeReader.Read(ConfigText.Read(projectFile, "project file"), Path.GetFileName(projectFile)), node, plugin)?.Name;
}
