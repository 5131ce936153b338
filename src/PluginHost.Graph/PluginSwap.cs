using PluginHost.Catalog;
using PluginHost.Catalog.Install;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Graph;

/// <summary>How a swap went.</summary>
/// <param name="Plugins">The versions that serve now.</param>
/// <param name="State">What became of the weights; null when no node of the graph uses the plugins.</param>
/// <param name="Verdicts">Of the versions that served before.</param>
public sealed record SwapReport(IReadOnlyList<PluginDescription> Plugins, CarriedState? State, IReadOnlyList<UnloadVerdict> Verdicts);

/// <summary>A swap did not happen: the old version goes on serving. Holds strings only.</summary>
public sealed class SwapRefusedException(string message) : Exception(message);

/// <summary>
/// Replaces plugins of a graph in use: stages the new version beside the old, plans, builds, tries and publishes it, then drains
/// and unloads the old one and checks that it is gone.
/// </summary>
/// <param name="catalog">Where the plugins come from.</param>
/// <param name="live">The graph in use.</param>
/// <param name="probe">Throws when a new graph does not work; a trainer uses its next batch instead.</param>
public sealed class PluginSwap(PluginCatalog catalog, LiveGraph live, Action<ExecutableGraph> probe)
{
    /// <summary>Takes in the plugins of a folder in place of those of the same ids.</summary>
    /// <param name="folder">The new version's plugin folder; nothing may change in it afterwards.</param>
    /// <param name="package">The installed package whose files these are; null for any other folder.</param>
    /// <param name="drain">How long to wait for users of the old version.</param>
    /// <exception cref="SwapRefusedException">The new version cannot be used; says why. The old one goes on.</exception>
    public async Task<SwapReport> SwapAsync(string folder, TimeSpan drain, LockedPackage? package = null)
    {
        var staged = Stage(folder, package);
        GraphExchange? exchange = null;
        try
        {
            RefuseUsedOutsideTheGraph(staged);
            if (staged.Any(IsNode)) exchange = await live.ExchangeAsync(Plan(staged), probe).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            foreach (var plugin in staged) await catalog.UnloadAsync(plugin, drain).ConfigureAwait(false);
            throw Refused(staged[0], error.Message);
        }
        var former = catalog.Activate(staged);
        if (exchange is not null) await DrainAsync(exchange, drain).ConfigureAwait(false);
        var verdicts = new List<UnloadVerdict>();
        foreach (var plugin in former) verdicts.Add(await catalog.UnloadAsync(plugin, drain).ConfigureAwait(false));
        return new SwapReport(staged, exchange?.State, verdicts);
    }

    private IReadOnlyList<PluginDescription> Stage(string folder, LockedPackage? package)
    {
        try
        {
            return catalog.Stage(folder, package);
        }
        catch (UserErrorException error)
        {
            throw new SwapRefusedException(error.Message);
        }
    }

    private GraphPlan Plan(IReadOnlyList<PluginDescription> staged) => GraphPlanner.Plan(live.Plan.Project, catalog.Installed.With([.. staged]));

    private bool IsNode(PluginDescription plugin) =>
        live.Plan.Nodes.Concat(live.Plan.Stages.SelectMany(stage => stage.Objectives).Select(objective => objective.Node)).Any(node => node.Description.Id == plugin.Id);

    // The data that a run reads, and how its text becomes ids, must not change under it.
    private void RefuseUsedOutsideTheGraph(IReadOnlyList<PluginDescription> staged)
    {
        string[] fixedIds = [.. live.Plan.Sources.Select(source => source.Plugin.Description.Id), live.Plan.Tokenizer?.Description.Id ?? "", live.Plan.Templates?.Description.Id ?? "", .. live.Plan.Media.Select(media => media.Description.Id)];
        if (staged.FirstOrDefault(plugin => fixedIds.Contains(plugin.Id)) is { } used)
            throw new UserErrorException($"it gives this run its data ({used.Kind}), which stays the same for the length of a run; swap it between runs");
    }

    private SwapRefusedException Refused(PluginDescription plugin, string reason)
    {
        catalog.Refuse(plugin, reason);
        return new SwapRefusedException($"{plugin.Id} {plugin.Version} does not take over: {reason}");
    }

    // A failing dispose of an old node is the old version's last fault, not the new one's.
    private static async Task DrainAsync(GraphExchange exchange, TimeSpan drain)
    {
        try
        {
            await exchange.Drained.WaitAsync(drain).ConfigureAwait(false);
        }
        catch (Exception error) when (error is TimeoutException or PluginFailedException)
        {
        }
    }
}
