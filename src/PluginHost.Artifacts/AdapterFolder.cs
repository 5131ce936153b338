using System.Text;
using System.Text.Json.Nodes;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Graph;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts;

/// <summary>
/// A saved adapter: <c>adapter_model.safetensors</c> and <c>adapter_config.json</c>, as PEFT has them. The plugin that made it stands in the metadata of the
/// tensors; of another's adapter it is told by <c>peft_type</c>.
/// </summary>
public sealed class AdapterFolder(string path)
{
    private const string PluginKey = "plugin";

    // The methods of PEFT that this project has.
    private static readonly Dictionary<string, string> Plugins = new(StringComparer.OrdinalIgnoreCase) { ["LORA"] = "tuning.lora", ["PREFIX_TUNING"] = "tuning.prefix" };

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    private string Model => System.IO.Path.Combine(Path, "adapter_model.safetensors");

    private string Config => System.IO.Path.Combine(Path, "adapter_config.json");

    /// <summary>Saves an adapter.</summary>
    /// <param name="tuning">One with a <see cref="ITuning.Config"/>.</param>
    /// <param name="plugin">The plugin that made it.</param>
    /// <param name="onto">The model that it was trained on.</param>
    public void Save(ITuning tuning, string plugin, string onto)
    {
        var config = tuning.Config!.DeepClone().AsObject();
        config["base_model_name_or_path"] = onto;
        AtomicFile.WriteText(Config, config.ToJsonString(RunFolder.Indented));
        SafeTensors.Write(Model, tuning.Parameters.ToDictionary(item => item.Name, item => (Tensor)item.Value), new Dictionary<string, string> { ["format"] = "pt", [PluginKey] = plugin });
    }

    /// <summary>Begins the adapter's tuning on a graph with its tensors; whoever asks disposes the result.</summary>
    /// <exception cref="UserErrorException">It is no adapter, nothing here can load it, or it is one of another base.</exception>
    public LoadedAdapter Load(ExecutableGraph graph, PluginCatalog catalog)
    {
        foreach (var file in (string[])[Config, Model])
            if (!File.Exists(file)) throw new UserErrorException($"{Path} is no adapter: it has no {System.IO.Path.GetFileName(file)}.");
        var (tensors, metadata) = SafeTensors.Read(Model);
        PluginLease? lease = null;
        GraphTuning? begun = null;
        try
        {
            var config = ReadConfig();
            var id = metadata.GetValueOrDefault(PluginKey) ?? PluginOf(config);
            var plugin = catalog.Find(id) is { Kind: "tuning" } known ? known : throw new UserErrorException($"{Path} was made by '{id}', and no such tuning is installed; install it.");
            lease = catalog.Lease(plugin, Settings(plugin, config));
            begun = graph.Tunings.Begin(System.IO.Path.GetFileName(Path), new LeasedTuning(lease));
            var adapter = new LoadedAdapter(begun, lease, graph);
            Fill(begun.Tuning, tensors);
            return adapter;
        }
        catch (Exception error)
        {
            begun?.Tuning.Dispose();
            lease?.Dispose();
            if (error is UserErrorException && !error.Message.Contains(Path, StringComparison.Ordinal)) throw new UserErrorException($"{Path} does not fit this model: {error.Message}");
            throw;
        }
        finally
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
        }
    }

    /// <summary>Copies its tensors into a tuning that goes on with it.</summary>
    /// <exception cref="UserErrorException">It is no adapter, or one of another base or of other settings.</exception>
    public void CopyTo(ITuning tuning) => WithTensors(saved => Fill(tuning, saved));

    /// <summary>Whether <see cref="CopyTo"/> would go through.</summary>
    /// <exception cref="UserErrorException">It would not.</exception>
    public void Check(ITuning tuning) => WithTensors(saved => Compare(tuning, saved));

    private void WithTensors(Action<IReadOnlyDictionary<string, Tensor>> use)
    {
        if (!File.Exists(Model)) throw new UserErrorException($"{Path} is no adapter: it has no {System.IO.Path.GetFileName(Model)}.");
        var (tensors, _) = SafeTensors.Read(Model);
        try
        {
            use(tensors);
        }
        finally
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
        }
    }

    private void Fill(ITuning tuning, IReadOnlyDictionary<string, Tensor> saved)
    {
        Compare(tuning, saved);
        using var _ = no_grad();
        foreach (var item in tuning.Parameters) item.Value.copy_(saved[item.Name]);
    }

    // Names that are left over count too: a base with fewer layers would silently take the part that it knows.
    private void Compare(ITuning tuning, IReadOnlyDictionary<string, Tensor> saved)
    {
        var problems = tuning.Parameters.Select(item =>
                !saved.TryGetValue(item.Name, out var tensor) ? $"it has no '{item.Name}'"
                : tensor.shape.SequenceEqual(item.Value.shape) ? null : $"its '{item.Name}' is [{string.Join(',', tensor.shape)}] and should be [{string.Join(',', item.Value.shape)}]")
            .Concat(saved.Keys.Except(tuning.Parameters.Select(item => item.Name)).Select(name => $"this model has nothing for its '{name}'")).OfType<string>().ToList();
        if (problems.Count > 0)
            throw new UserErrorException($"{Path} is an adapter of another base, or of other settings: {string.Join("; ", problems.Take(3))}{(problems.Count > 3 ? $"; and {problems.Count - 3} more" : "")}.");
    }

    private JsonElementNode ReadConfig()
    {
        try
        {
            return JsonTreeReader.Read(File.ReadAllBytes(Config), Config);
        }
        catch (ConfigException error)
        {
            throw new UserErrorException($"{Path} is no adapter: {error.Message}");
        }
    }

    private string PluginOf(JsonElementNode config)
    {
        var type = config.Find("peft_type") is { Kind: JsonKind.String } node ? node.Text : "";
        return Plugins.TryGetValue(type, out var id) ? id
            : throw new UserErrorException($"{Path} is an adapter of the type '{type}'; of PEFT's, {string.Join(" and ", Plugins.Keys)} can be loaded.");
    }

    // What the plugin knows of the file is its settings; the rest is PEFT's own.
    private IReadOnlyDictionary<string, object?> Settings(PluginDescription plugin, JsonElementNode config)
    {
        var known = plugin.Options.SelectMany(option => option.Aliases.Prepend(option.Name)).ToHashSet();
        var errors = new List<ConfigError>();
        var settings = JsonElementNode.Object(config.Location, [.. config.Members.Where(member => known.Contains(member.Name))]);
        var values = SettingsValidator.Validate(plugin, new PluginUse(plugin.Id, settings, config.Location), errors);
        return errors.Count == 0 ? values : throw new UserErrorException($"{Path} cannot be loaded: {string.Join("; ", errors)}");
    }
}

/// <summary>A loaded adapter. Disposing it gives back the weights that it has replaced, and its plugin.</summary>
public sealed class LoadedAdapter : IDisposable
{
    private readonly GraphTuning tuning;
    private readonly PluginLease lease;
    private readonly ExecutableGraph graph;
    private readonly List<(Tensor Weight, Tensor Former)> replaced;

    internal LoadedAdapter(GraphTuning tuning, PluginLease lease, ExecutableGraph graph)
    {
        (this.tuning, this.lease, this.graph) = (tuning, lease, graph);
        using var _ = no_grad();
        replaced = [.. graph.Parameters.Where(own => tuning.Tuning.Parameters.Any(item => ReferenceEquals(item.Value, own.Value))).Select(own => ((Tensor)own.Value, own.Value.clone().DetachFromDisposeScope()))];
    }

    /// <summary>Its folder's name.</summary>
    public string Name => tuning.Name;

    /// <summary>For a single request; several requests may use several at once.</summary>
    public ITuning Tuning => tuning.Tuning;

    /// <summary>Whether it brings weights in place of the model's: then it cannot stand beside others.</summary>
    public bool ReplacesWeights => replaced.Count > 0;

    /// <summary>Lets it work whenever the graph runs.</summary>
    public LoadedAdapter Attach()
    {
        graph.Tunings.Attach(tuning);
        return this;
    }

    public void Dispose()
    {
        using (no_grad())
            foreach (var (weight, former) in replaced)
            {
                if (!weight.IsInvalid) weight.copy_(former);
                former.Dispose();
            }
        if (graph.Tunings.Attached.Contains(tuning)) graph.Tunings.Detach(tuning);
        else tuning.Tuning.Dispose();
        lease.Dispose();
    }
}
