using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Reads project files.</summary>
public static class ProjectFile
{
    /// <summary>Reads a project.</summary>
    /// <param name="path">The file; a relative path is relative to the current folder.</param>
    /// <param name="overrides">Values to replace, <c>path=value</c>: <c>graph.fusion.use=fusion.late</c>, <c>stages.0.steps=30</c>.</param>
    /// <exception cref="ConfigException">All that is wrong with it, as far as can be known without the plugins.</exception>
    public static ProjectConfig Read(string path, IReadOnlyList<string> overrides)
    {
        var full = Path.GetFullPath(path);
        var root = JsonTreeReader.Read(ConfigText.Read(full, "project file"), Path.GetFileName(full));
        var errors = new List<ConfigError>();
        foreach (var assignment in overrides) root = JsonOverride.Apply(root, assignment, errors);
        if (errors.Count > 0) throw new ConfigException(errors);
        var project = new ProjectReader(errors).Project(root, full);
        return errors.Count == 0 ? project : throw new ConfigException(errors);
    }
}
