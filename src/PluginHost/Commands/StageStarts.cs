using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary>What each stage of a run begins with and leaves: weights of other stages and runs, and adapters.</summary>
internal sealed class StageStarts(Workspace workspace, ProjectConfig project, RunFolder folder, string artifacts) : IDisposable
{
    private readonly List<LoadedAdapter> loaded = [];

    /// <summary>The run whose weights, and so whose tokenizer, a project's first stages begin with; null: it begins from zero.</summary>
    /// <exception cref="ConfigException">A stage begins with something that is neither a stage before it nor a finished run.</exception>
    public static RunFolder? Base(ProjectConfig project, string artifacts)
    {
        var runs = project.Stages.Where(stage => stage.From is { } from && project.Stages.All(other => other.Name != from.Name)).Select(stage => Run(stage.From!, artifacts)).ToList();
        return runs.FirstOrDefault();
    }

    /// <summary>Begins every tuning once, before anything is trained.</summary>
    /// <exception cref="ConfigException">One does not fit the graph.</exception>
    public void Check()
    {
        using var use = workspace.Graph.Acquire();
        var errors = new List<ConfigError>();
        foreach (var (stage, plugin) in project.Stages.Zip(workspace.Tunings))
        {
            if (plugin is null) continue;
            var location = stage.Tuning!.Use.Location;
            try
            {
                var begun = use.Graph.Tunings.Begin(stage.Name, plugin);
                using var _ = begun.Tuning;
                if (stage.Tuning.From is not { } from) continue;
                location = from.Location;
                Saved(from).Check(begun.Tuning);
            }
            catch (UserErrorException error)
            {
                errors.Add(new ConfigError(location, error.Message));
            }
        }
        if (errors.Count > 0) throw new ConfigException(errors);
    }

    /// <summary>Makes the graph what a stage begins with; its own tuning is not begun yet.</summary>
    /// <param name="index">The stage.</param>
    /// <param name="resumed">Whether a checkpoint gives the weights: then all that is left to do is to attach what it was made with.</param>
    public void Prepare(int index, bool resumed)
    {
        using var use = workspace.Graph.Acquire();
        var tunings = use.Graph.Tunings;
        if (resumed)
        {
            var first = Enumerable.Range(0, index + 1).LastOrDefault(i => project.Stages[i].From is not null);
            if (project.Stages[first].From is { } from) Load(from, use.Graph);
            for (var i = first; i < index; i++)
                if (workspace.Tunings[i] is { } plugin && tunings.Begin(project.Stages[i].Name, plugin) is var begun && Stays(begun.Tuning)) tunings.Attach(begun);
            return;
        }
        if (project.Stages[index].From is { } start)
        {
            foreach (var item in tunings.Attached.ToList()) tunings.Detach(item);
            Load(start, use.Graph);
            return;
        }
        foreach (var item in tunings.Attached.Where(item => !Stays(item.Tuning)).ToList())
        {
            if (item.Tuning.CanMerge) item.Tuning.Merge();
            tunings.Detach(item);
        }
    }

    /// <summary>Lets a stage's tuning, which has been begun, go on with the adapter that the file names.</summary>
    public void Continue(int index)
    {
        if (project.Stages[index].Tuning?.From is not { } from) return;
        using var use = workspace.Graph.Acquire();
        Saved(from).CopyTo(use.Graph.Tunings.Attached.Single(item => item.Name == project.Stages[index].Name).Tuning);
    }

    /// <summary>Saves what a stage has trained, as far as others need it: its adapter, and the weights that a later stage begins with.</summary>
    public void Save(int index)
    {
        using var use = workspace.Graph.Acquire();
        var stage = project.Stages[index];
        if (use.Graph.Tunings.Attached.FirstOrDefault(item => item.Name == stage.Name)?.Tuning is { Config: not null } tuning)
            folder.Adapter(stage.Name).Save(tuning, use.Graph.Plan.Stages[index].Tuning!.Plugin.Description.Id, Onto(index));
        if (project.Stages.Skip(index + 1).Any(later => later.From?.Name == stage.Name)) ModelFile.Write(folder.StageModel(stage.Name), use.Graph);
    }

    public void Dispose()
    {
        foreach (var adapter in loaded) adapter.Dispose();
    }

    // What cannot be merged goes on beside the weights.
    private static bool Stays(ITuning tuning) => tuning is { CanMerge: false, Config: not null };

    private static RunFolder Run(StageStart from, string artifacts)
    {
        try
        {
            var run = RunFolder.Find(artifacts, from.Name);
            return File.Exists(run.Model) ? run : throw new UserErrorException($"the run '{run.Name}' has no weights yet; finish it with 'pluginhost run --resume {run.Name}'");
        }
        catch (UserErrorException error)
        {
            throw new ConfigException([new ConfigError(from.Location, $"'from' names neither a stage before this one nor a run: {error.Message}")]);
        }
    }

    private AdapterFolder Saved(StageStart from) => new(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(project.Path))!, from.Name));

    private string Onto(int index) => project.Stages[index].From is not { } from ? index == 0 ? "" : $"{folder.Name}/{project.Stages[index - 1].Name}"
        : project.Stages.Any(stage => stage.Name == from.Name) ? $"{folder.Name}/{from.Name}" : from.Name;

    private void Load(StageStart from, ExecutableGraph graph)
    {
        var run = project.Stages.Any(stage => stage.Name == from.Name) ? folder : Run(from, artifacts);
        loaded.AddRange(ModelFile.Load(run, run == folder ? folder.StageModel(from.Name) : run.Model, graph, workspace.Catalog));
    }
}
