using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph.Planning;

namespace PluginHost.Graph;

/// <summary>Checks a whole project against the installed plugins, before any plugin code runs or tensor exists.</summary>
public static class GraphPlanner
{
    /// <summary>Plans a project.</summary>
    /// <exception cref="ConfigException">All that is wrong with it.</exception>
    public static GraphPlan Plan(ProjectConfig project, PluginSet plugins)
    {
        var errors = new List<ConfigError>();
        var plan = new PlanDraft(project, plugins, errors).Solve();
        return errors.Count == 0 ? plan! : throw new ConfigException([.. errors.Distinct()]);
    }
}
