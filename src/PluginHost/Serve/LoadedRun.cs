using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Graph;
using PluginHost.Live;
using PluginHost.Runs.Chat;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;

namespace PluginHost.Serve;

/// <summary>What of a served run is in memory: its workspace, what answers over it, and the door through which its plugins are swapped.</summary>
internal sealed class LoadedRun : IDisposable
{
    private readonly List<PluginLease> constraints = [];

    /// <exception cref="UserErrorException">The run cannot be loaded.</exception>
    public LoadedRun(string id, RunFolder run, HostConfig host, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var logger = loggers.CreateLogger<ServedRun>();
        var project = ProjectFile.Read(run.Project, []);
        Workspace = Workspace.Open(project, host, File.ReadAllText(run.Tokenizer), project.Seed, loggers, cancellation);
        try
        {
            Workspace.LoadWeights(run);
            using (var use = Workspace.Graph.Acquire()) use.Graph.Train(false);
            if (Workspace.Plan.DecoderNode is not null && Workspace.Data.Tokenizer is not null)
            {
                Decoder = new LiveDecoder(Workspace.Graph, Workspace.Data, host.Server.Engine, error => logger.LogError(error, "A request to '{Model}' failed", id));
                Chat = new GraphChatClient(Decoder, Workspace.Data, Workspace.Media, Workspace.Plan.Modalities, id, Constraint(host, host.Server.JsonConstraint), Constraint(host, host.Server.ToolConstraint));
            }
            if (SharedSpace.Of(Workspace.Plan).Count > 0)
                Embeddings = new LiveEmbedder(Workspace.Graph, Workspace.Data, Workspace.Media, id, project.Data.Languages[0]);
            Session = new LiveSession(Workspace, host, run.Path, null, text => logger.LogInformation("{Model}: {Change}", id, text), _ => { });
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Workspace Workspace { get; }

    /// <summary>Null: the graph writes no text.</summary>
    public LiveDecoder? Decoder { get; }

    public GraphChatClient? Chat { get; }

    /// <summary>Null: texts and media share no space.</summary>
    public LiveEmbedder? Embeddings { get; }

    public LiveSession? Session { get; }

    // Null: none of that name is installed, and who asks for what it does is told so.
    private Lazy<IConstraint>? Constraint(HostConfig host, string id)
    {
        if (Workspace.Catalog.Find(id) is not { Kind: "constraint" } plugin) return null;
        var errors = new List<ConfigError>();
        var settings = SettingsValidator.Validate(plugin, new PluginUse(plugin.Id, JsonElementNode.Object(host.Source.Location, []), host.Source.Location), errors);
        if (errors.Count > 0) throw new ConfigException(errors);
        var lease = Workspace.Catalog.Lease(plugin, settings);
        constraints.Add(lease);
        return new Lazy<IConstraint>(() => lease.As<IConstraintPlugin>().Create(new ConstraintContext(Workspace.Data.Tokenizer!)));
    }

    public void Dispose()
    {
        Session?.Dispose();
        Decoder?.Dispose();
        foreach (var constraint in constraints) constraint.Dispose();
        Workspace.Dispose();
    }
}
