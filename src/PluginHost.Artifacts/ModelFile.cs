using PluginHost.Catalog;
using PluginHost.Graph;
using PluginHost.Sdk;

namespace PluginHost.Artifacts;

/// <summary>
/// A model's weights in a run folder. Adapters that can be merged are merged in the file; those that cannot stand in its metadata, and are attached when it is
/// loaded.
/// </summary>
public static class ModelFile
{
    private const string AdaptersKey = "adapters";

    /// <summary>Writes what a graph is now, with all that is attached to it. The graph stays as it is.</summary>
    public static void Write(string path, ExecutableGraph graph)
    {
        var merged = graph.Tunings.Attached.Where(item => item.Tuning.CanMerge).ToList();
        var others = graph.Tunings.Attached.Where(item => !item.Tuning.CanMerge && item.Tuning.Config is not null).Select(item => item.Name).ToList();
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        if (others.Count > 0) metadata[AdaptersKey] = string.Join(' ', others);
        foreach (var item in merged) item.Tuning.Merge();
        try
        {
            SafeTensors.Write(path, graph.Weights.ToDictionary(weight => weight.Name, weight => weight.Value), metadata);
        }
        finally
        {
            foreach (var item in Enumerable.Reverse(merged)) item.Tuning.Unmerge();
        }
    }

    /// <summary>Loads a file into a graph, and attaches what it needs besides.</summary>
    /// <param name="run">The run that it is of, whose adapters it names.</param>
    /// <param name="path">The file.</param>
    /// <param name="graph">Of the same names and shapes.</param>
    /// <param name="catalog">The installed plugins.</param>
    /// <returns>The adapters attached: to be disposed before the graph.</returns>
    /// <exception cref="UserErrorException">It does not fit the graph.</exception>
    public static IReadOnlyList<LoadedAdapter> Load(RunFolder run, string path, ExecutableGraph graph, PluginCatalog catalog)
    {
        var (tensors, metadata) = SafeTensors.Read(path);
        try
        {
            RunFolder.CopyInto(path, tensors, graph.Weights);
        }
        finally
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
        }
        var loaded = new List<LoadedAdapter>();
        try
        {
            foreach (var name in metadata.GetValueOrDefault(AdaptersKey, "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                loaded.Add(run.Adapter(name).Load(graph, catalog).Attach());
            return loaded;
        }
        catch
        {
            foreach (var adapter in loaded) adapter.Dispose();
            throw;
        }
    }
}
