using PluginHost.Config;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Models;

/// <summary>First weights of a node out of a finished run or an imported model.</summary>
public static class StartingWeights
{
    /// <summary>Copies one node's weights.</summary>
    /// <param name="from">The run.</param>
    /// <param name="node">The node's name in the graph that is begun.</param>
    /// <param name="plugin">The plugin that it uses.</param>
    /// <param name="weights">The weights of that graph.</param>
    /// <exception cref="UserErrorException">The run has no such node, or its weights have other names or shapes.</exception>
    public static void Load(RunFolder from, string node, string plugin, IEnumerable<(string Name, Tensor Value)> weights)
    {
        if (!File.Exists(from.Project)) throw new UserErrorException($"{node}: {from.Path} is no run and no imported model: it has no project.json.");
        var origin = ModelOrigin.NodeFor(from.Project, node, plugin) ?? throw new UserErrorException($"{node}: the model {from.Path} has no node of that name or of {plugin} to take weights from.");
        using var file = SafeTensorsFile.Open(from.Model);
        var loaded = new Dictionary<string, Tensor>();
        try
        {
            foreach (var name in file.Entries.Keys.Where(name => name.StartsWith($"{origin}.", StringComparison.Ordinal)))
                loaded[$"{node}{name[origin.Length..]}"] = file.Load(name);
            RunFolder.CopyInto(from.Model, loaded, weights.Where(weight => weight.Name.StartsWith($"{node}.", StringComparison.Ordinal)));
        }
        finally
        {
            foreach (var tensor in loaded.Values) tensor.Dispose();
        }
    }
}
