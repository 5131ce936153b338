using System.Text.Json;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Serve;

/// <summary>Finds what <c>pluginhost serve</c> is asked to serve.</summary>
internal static class ServedRuns
{
    /// <summary>A model for each item: a run, or a project file, which stands for its newest finished run. A model is called after its project; two runs of one project after themselves.</summary>
    /// <exception cref="UserErrorException">There is no such run, or it is not finished.</exception>
    public static IReadOnlyList<ServedRun> Find(IReadOnlyList<string> items, HostConfig host, ILoggerFactory loggers)
    {
        var runs = items.Select(item => item.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? Newest(item, host) : RunFolder.Find(host.Artifacts, item)).DistinctBy(run => run.Path).ToList();
        foreach (var run in runs)
            if (!File.Exists(run.Model)) throw new UserErrorException($"the run '{run.Name}' has no weights ({run.Model}); finish it with 'pluginhost run --resume {run.Name}', or name another");
        var named = runs.Select(run => (Run: run, Project: NameOf(run))).ToList();
        return [.. named.Select(item => new ServedRun(named.Count(other => other.Project == item.Project) == 1 ? item.Project : item.Run.Name, item.Run, host, loggers))];
    }

    private static RunFolder Newest(string file, HostConfig host)
    {
        var project = ProjectFile.Read(file, [], RunFolder.Finder(host.Artifacts));
        return RunFolder.All(host.Artifacts).Where(run => File.Exists(run.Model) && NameOf(run) == project.Name).MaxBy(run => File.GetLastWriteTimeUtc(run.Model))
            ?? throw new UserErrorException($"{file} has no finished run in {host.Artifacts}: 'pluginhost run {file}' makes one");
    }

    private static string NameOf(RunFolder run)
    {
        try
        {
            using var project = JsonDocument.Parse(File.ReadAllBytes(run.Project));
            return project.RootElement.GetProperty("name").GetString() ?? run.Name;
        }
        catch (Exception error) when (error is JsonException or IOException or KeyNotFoundException or InvalidOperationException)
        {
            return run.Name; // a folder that is damaged or half made is nobody's newest run
        }
    }
}
