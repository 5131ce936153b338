using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Reads project files.</summary>
public static class ProjectFile
{
    /// <summary>Reads a project.</summary>
    /// <param name="path">The file; a relative path is relative to the current folder.</param>
    /// <param name="overrides">Values to replace, <c>path=value</c>: <c>graph.fusion.use=fusion.late</c>, <c>stages.0.steps=30</c>.</param>
    /// <param name="find">The folder of a model that <c>"from"</c> names, given the project's folder; null: references stay as they are, as in a run's own project.</param>
    /// <exception cref="ConfigException">All that is wrong with it, as far as can be known without the plugins.</exception>
    public static ProjectConfig Read(string path, IReadOnlyList<string> overrides, Func<string, string, string>? find = null)
    {
        var full = Path.GetFullPath(path);
        return Parse(ConfigText.Read(full, "project file"), full, overrides, find);
    }

    /// <summary>Reads the text of a project.</summary>
    /// <param name="text">The text, in UTF-8.</param>
    /// <param name="full">The file that it is or will be.</param>
    /// <param name="overrides">Values to replace.</param>
    /// <param name="find">As above.</param>
    /// <exception cref="ConfigException">All that is wrong with it, as far as can be known without the plugins.</exception>
    public static ProjectConfig Parse(ReadOnlySpan<byte> text, string full, IReadOnlyList<string> overrides, Func<string, string, string>? find = null)
    {
        var root = JsonTreeReader.Read(text, Path.GetFileName(full));
        var errors = new List<ConfigError>();
        foreach (var assignment in overrides) root = JsonOverride.Apply(root, assignment, errors);
        if (errors.Count == 0 && find is not null) root = new ModelReferences(Path.GetDirectoryName(full)!, find, errors).Resolve(root);
        if (errors.Count > 0) throw new ConfigException(errors);
        var project = new ProjectReader(errors).Project(root, full);
        return errors.Count == 0 ? project : throw new ConfigException(errors);
    }
}
