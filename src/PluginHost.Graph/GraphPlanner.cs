using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph.Planning;

namespace PluginHost.Graph;

/// <summary>Checks a whole project against the installed plugins, before any plugin code runs or tensor exists.</summary>
public static class GraphPlanner
{
    /// <summary>Plans a project.</summary>
    /// <param name="project">The project.</param>
    /// <param name="plugins">The installed plugins.</param>
    /// <param name="models">Trained runs, if the plan's filters are to run; a training does without, and may itself make the run that they name.</param>
    /// <exception cref="ConfigException">All that is wrong with it.</exception>
    public static GraphPlan Plan(ProjectConfig project, PluginSet plugins, ITrainedModels? models = null)
    {
        var errors = new List<ConfigError>();
        var plan = new PlanDraft(project, plugins, models, errors).Solve();
        return errors.Count == 0 ? plan! : throw new ConfigException([.. errors.Distinct()]);
    }
}
