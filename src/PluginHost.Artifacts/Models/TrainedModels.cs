using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Models;

/// <summary>
/// Trained runs for the plugins of a build that require one. Each run's graph is loaded once, when it is first wanted, and leases its plugins until
/// this is disposed; then nothing that was supplied works or holds anything of a plugin's.
/// </summary>
/// <param name="catalog">The installed plugins, of which runs are made up too.</param>
/// <param name="artifacts">The folder of all runs.</param>
/// <param name="loggers">For messages of the runs' plugins.</param>
/// <param name="cancellation">Ends the loading.</param>
public sealed class TrainedModels(PluginCatalog catalog, string artifacts, ILoggerFactory loggers, CancellationToken cancellation) : ITrainedModels, IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, GraphPlan> plans = [];
    private readonly Dictionary<string, TrainedModel> models = [];

    /// <inheritdoc/>
    public string? Refusal(string capability, string run)
    {
        try
        {
            var (folder, plan) = Planned(run);
            return capability switch
            {
                Capability.EmbeddingGenerator when SharedSpace.Of(plan).Count == 0 =>
                    $"the run '{folder.Name}' has no contrastive objective between a text encoder and an encoder of a medium (inputs 'query' and 'key' from their pooled outputs), so it embeds nothing; name a run that has one",
                Capability.TextScorer when plan.DecoderNode is null => $"the run '{folder.Name}' has no decoder, so it scores no texts; name a run that has one",
                _ => null,
            };
        }
        catch (UserErrorException error)
        {
            return error.Message;
        }
    }

    /// <summary>What a requirement asks for, as the interface that the capability stands for. It is disposed with this.</summary>
    /// <param name="requirement">One that has not been refused.</param>
    /// <param name="device">Where the run's weights are to live.</param>
    /// <exception cref="UserErrorException">The run has changed since, and cannot supply it.</exception>
    public object Supply(PlannedRequirement requirement, Device device)
    {
        lock (gate)
        {
            var model = Opened(requirement.Run, device);
            return requirement.Capability == Capability.TextScorer ? model.TextScorer : model.Embedder;
        }
    }

    /// <summary>The towers of a run that encode queries and passages, or texts and pictures. They are disposed with this.</summary>
    /// <param name="run">The run: folder, name or alias.</param>
    /// <param name="device">Where the run's weights are to live.</param>
    /// <exception cref="UserErrorException">The run cannot be used, or has no such towers.</exception>
    public IPassageEncoder Pairs(string run, Device device)
    {
        lock (gate) return Opened(run, device).Pairs;
    }

    /// <summary>The cross-encoder of a run, which scores passages for a query. It is disposed with this.</summary>
    /// <param name="run">The run: folder, name or alias.</param>
    /// <param name="device">Where the run's weights are to live.</param>
    /// <exception cref="UserErrorException">The run cannot be used, or ranks nothing.</exception>
    public GraphPassageScorer Passages(string run, Device device)
    {
        lock (gate) return Opened(run, device).Passages;
    }

    /// <summary>SHA-256 over a run's weights, tokenizer and project, and the contents of the plugins that its graph is made of: whatever the run is called.</summary>
    /// <exception cref="UserErrorException">The run cannot be used.</exception>
    public string Identity(string run)
    {
        var (folder, plan) = Planned(run);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in (string[])[folder.Project, folder.Tokenizer, folder.Model])
        {
            using var stream = File.OpenRead(file);
            hash.AppendData(SHA256.HashData(stream));
        }
        foreach (var node in plan.Nodes) hash.AppendData(Encoding.UTF8.GetBytes(node.Description.Hash));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var model in models.Values) model.Dispose();
            models.Clear();
        }
    }

    private TrainedModel Opened(string run, Device device)
    {
        var (folder, plan) = Planned(run);
        if (!models.TryGetValue(folder.Path, out var model)) models[folder.Path] = model = TrainedModel.Open(folder, plan, catalog, new GraphSettings(device, plan.Project.Seed, loggers, cancellation));
        return model;
    }

    private (RunFolder Folder, GraphPlan Plan) Planned(string run)
    {
        using var alone = gate.EnterScope();
        var folder = RunFolder.Find(artifacts, run);
        if (plans.TryGetValue(folder.Path, out var known)) return (folder, known);
        foreach (var (file, what) in new[] { (folder.Project, "project"), (folder.Model, "weights"), (folder.Tokenizer, "tokenizer") })
            if (!File.Exists(file)) throw new UserErrorException($"the run '{folder.Name}' has no {what} ({file}); finish it with 'pluginhost run --resume {folder.Name}', or name another");
        try
        {
            // Of the run's project only what makes its graph: its data is not opened, and what it was filtered by is its own affair.
            var project = ProjectFile.Read(folder.Project, []);
            var plan = GraphPlanner.Plan(project with { Data = project.Data with { Filters = [], Transforms = [], Templates = null }, Evaluate = [] }, catalog.Installed);
            return (folder, plans[folder.Path] = plan);
        }
        catch (ConfigException error)
        {
            throw new UserErrorException($"the run '{folder.Name}' cannot be loaded with the plugins that are installed: {string.Join("; ", error.Errors.Take(3))}");
        }
    }
}
