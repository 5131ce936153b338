using PluginHost.Artifacts;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary>The adapters of a chat, all on one base; a line of the input changes who answers.</summary>
internal sealed class ChatAdapters : IDisposable
{
    private const string Command = "/adapter";
    private const string None = "none";

    private readonly List<LoadedAdapter> adapters = [];
    private LoadedAdapter? current;

    /// <exception cref="UserErrorException">One cannot be loaded, or cannot stand beside the others.</exception>
    public ChatAdapters(IReadOnlyList<string> folders, ExecutableGraph graph, PluginCatalog catalog)
    {
        try
        {
            foreach (var folder in folders) adapters.Add(new AdapterFolder(folder).Load(graph, catalog));
            if (adapters.Count > 1 && adapters.Find(adapter => adapter.ReplacesWeights) is { } alone)
                throw new UserErrorException($"the adapter '{alone.Name}' brings whole modules in place of the model's, so it cannot stand beside others; name it alone");
        }
        catch
        {
            Dispose();
            throw;
        }
        foreach (var adapter in adapters) adapter.Tuning.Train(false);
        current = adapters.FirstOrDefault();
    }

    /// <summary>Who answers; null: what is attached to the model.</summary>
    public ITuning? Current => current?.Tuning;

    /// <summary>Takes a line that chooses an adapter.</summary>
    /// <returns>Whether it was one.</returns>
    public bool Choose(string line, TextWriter output)
    {
        if (line.Split(' ', 2, StringSplitOptions.TrimEntries) is not [Command, var name]) return false;
        var names = adapters.Select(adapter => adapter.Name).Append(None);
        if (!names.Contains(name)) output.WriteLine($"no adapter is named '{name}'{NearestName.Suggestion(name, names)}");
        else current = adapters.Find(adapter => adapter.Name == name);
        return true;
    }

    public void Dispose()
    {
        for (var i = adapters.Count - 1; i >= 0; i--) adapters[i].Dispose();
        adapters.Clear();
    }
}
