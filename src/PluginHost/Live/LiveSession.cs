using System.Globalization;
using System.Text;
using System.Text.Json;
using PluginHost.Artifacts;
using PluginHost.Catalog;
using PluginHost.Catalog.Install;
using PluginHost.Commands;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Runs;
using PluginHost.Sdk;
using PluginHost.Serving.Models;

namespace PluginHost.Live;

/// <summary>What a running host does when its plugins or its project change: on request of another terminal, and on its own when it watches.</summary>
internal sealed class LiveSession : IDisposable
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(30);

    private readonly Workspace workspace;
    private readonly PluginStore store;
    private readonly Action<string> say;
    private readonly Action<ProjectConfig> applied;
    private readonly PluginSwap swap;
    private readonly SemaphoreSlim one = new(1);
    private readonly HostControl control;
    private readonly FolderWatch? watch;
    private readonly ProjectSource? source;
    private readonly RunFolder run;
    private List<string> changed = []; // overrides of the run's project that are in force
    private HostConfig host;

    /// <param name="workspace">What runs.</param>
    /// <param name="host">The host file.</param>
    /// <param name="run">The run folder, by which other terminals find the host.</param>
    /// <param name="watched">The project file to follow, with the host file and the plugins; null: change on request alone.</param>
    /// <param name="say">Tells the user.</param>
    /// <param name="applied">Told the project after each change of it.</param>
    public LiveSession(Workspace workspace, HostConfig host, string run, ProjectSource? watched, Action<string> say, Action<ProjectConfig> applied)
    {
        (this.workspace, this.host, this.say, this.applied, source, this.run) = (workspace, host, say, applied, watched, new RunFolder(run));
        store = new PluginStore(host.Install.Store);
        swap = new PluginSwap(workspace.Catalog, workspace.Graph, new GraphProbe(workspace.Data).Try);
        control = HostControl.Open(run, HandleAsync);
        if (watched is not null) watch = new FolderWatch(Watched, Changed).Start();
    }

    public void Dispose()
    {
        watch?.Dispose();
        control.Dispose();
        one.Dispose();
    }

    private string ProjectPath => Path.GetFullPath(source!.Path);

    private List<string> Watched() =>
        [ProjectPath, .. host.Path.Length > 0 ? [host.Path] : Array.Empty<string>(), .. workspace.Catalog.Installed.All.Select(plugin => plugin.Origin).Distinct()];

    // What a change runs into costs that change, not the run.
    private async Task Changed(string path)
    {
        try
        {
            say(path == ProjectPath ? await Reload() : path == host.Path ? await ReloadHost() : (await Swap(path, PackageOf(path))).Text);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            say($"{path} changed and is not taken in: {error.Message}");
        }
    }

    /// <summary>Does what is asked of a running host.</summary>
    /// <exception cref="UserErrorException">There is no such plugin or command.</exception>
    public Task<ControlReply> HandleAsync(ControlRequest request) => request.Command switch
    {
        "swap" => SwapOnRequest(Serving(request), request.Folder),
        "list" => Task.FromResult(new ControlReply(ExitCode.Success, List())),
        "quarantine" => Done(request, plugin => workspace.Catalog.Quarantine(plugin.Id, "by command"), "is out until it is restored"),
        "restore" => Done(request, plugin => workspace.Catalog.Restore(plugin.Id), "is back"),
        "drain" => DrainOnRequest(Serving(request)),
        var other => throw new UserErrorException($"a running host does not know the command '{other}'"),
    };

    private PluginDescription Serving(ControlRequest request)
    {
        var id = request.Id ?? throw new UserErrorException($"{request.Command}: name a plugin");
        var installed = workspace.Catalog.Installed;
        return installed.Find(id) ?? throw new UserErrorException($"this host has no plugin '{id}'{NearestName.Suggestion(id, installed.All.Select(plugin => plugin.Id))}");
    }

    private Task<ControlReply> Done(ControlRequest request, Action<PluginDescription> act, string now)
    {
        var plugin = Serving(request);
        act(plugin);
        say($"{plugin.Id} {now}");
        return Task.FromResult(new ControlReply(ExitCode.Success, $"{plugin.Id} {now}"));
    }

    private async Task<ControlReply> DrainOnRequest(PluginDescription plugin)
    {
        var verdict = await workspace.Catalog.UnloadAsync(plugin, Drain);
        return new ControlReply(verdict.Outcome == UnloadOutcome.Unloaded ? ExitCode.Success : ExitCode.Failed, $"{plugin.Id} {Describe(verdict)}");
    }

    private async Task<ControlReply> SwapOnRequest(PluginDescription serving, string? folder)
    {
        // A package may have been updated since: what is active in the store now is meant.
        var active = serving.Package is { } package ? store.Active().FirstOrDefault(item => item.Package.Id == package.Id) : null;
        var place = folder ?? active?.Folder ?? serving.Origin;
        var reply = await Swap(place, PackageOf(place));
        say(reply.Text);
        return reply;
    }

    private LockedPackage? PackageOf(string folder) => store.Active().FirstOrDefault(item => item.Folder == folder)?.Package;

    // One change at a time: each is planned on what the one before left.
    private async Task<ControlReply> Swap(string folder, LockedPackage? package)
    {
        await one.WaitAsync();
        try
        {
            return new ControlReply(ExitCode.Success, Describe(await swap.SwapAsync(folder, Drain, package)));
        }
        catch (SwapRefusedException refusal)
        {
            return new ControlReply(ExitCode.Failed, refusal.Message);
        }
        finally
        {
            one.Release();
        }
    }

    private async Task<string> Reload()
    {
        await one.WaitAsync();
        try
        {
            var before = workspace.Plan.Project;
            var project = ProjectFile.Read(source!.Path, source.Set, RunFolder.Finder(host.Artifacts));
            var changes = ConfigDiff.Between(before.Source, project.Source);
            if (changes.Count == 0) return $"{source.Path} changed, its values did not";
            if (changes.Where(change => LiveChange.OfProject(change.Path) is null).ToList() is { Count: > 0 } refused)
                return $"{source.Path} is not applied: {string.Join("; ", refused)}: a new run is needed for that";
            var exchange = await ExchangeAsync(GraphPlanner.Plan(project, workspace.Catalog.Installed));
            var text = new StringBuilder($"{source.Path} is applied:");
            foreach (var change in changes) text.Append($"\n  {change} ({LiveChange.OfProject(change.Path)})");
            return text.Append(Describe(exchange.State)).ToString();
        }
        catch (Exception error) when (error is ConfigException or UserErrorException or PluginFailedException or GraphExecutionException or RunFailedException)
        {
            return $"{source!.Path} is not applied: {error.Message}";
        }
        finally
        {
            one.Release();
        }
    }

    /// <summary>See <see cref="IGraphControl.ChangeNodeAsync"/>.</summary>
    public async Task<NodeChange> ChangeNodeAsync(string node, string? use, string? settings, bool apply)
    {
        await one.WaitAsync();
        try
        {
            var before = workspace.Plan;
            if (before.Nodes.All(known => known.Name != node))
                throw new UserErrorException($"the graph has no node '{node}'{NearestName.Suggestion(node, before.Nodes.Select(known => known.Name))}");
            List<string> set = [.. changed];
            if (use is not null) set.Add($"graph.{node}.use={JsonSerializer.Serialize(use)}");
            if (settings is not null) set.Add($"graph.{node}.settings={settings}");
            var project = ProjectFile.Read(run.Project, set, RunFolder.Finder(host.Artifacts));
            var plan = GraphPlanner.Plan(project, workspace.Catalog.Installed); // what is wrong is said before anybody agrees to it
            var values = ConfigDiff.Between(before.Project.Source, project.Source).Select(change => new ChangedValue(change.Path, change.Old, change.New, LiveChange.OfProject(change.Path) ?? "takes a new run")).ToList();
            if (!apply || values.Count == 0) return new NodeChange(values, null);
            var exchange = await ExchangeAsync(plan);
            changed = set;
            var text = $"{node} is changed:{Describe(exchange.State)}";
            say(text);
            return new NodeChange(values, text);
        }
        catch (Exception error) when (error is PluginFailedException or GraphExecutionException or RunFailedException)
        {
            throw new UserErrorException($"{node} stays as it is: {error.Message}");
        }
        finally
        {
            one.Release();
        }
    }

    private async Task<GraphExchange> ExchangeAsync(GraphPlan plan)
    {
        var exchange = await workspace.Graph.ExchangeAsync(plan, new GraphProbe(workspace.Data).Try);
        applied(plan.Project);
        return exchange;
    }

    private async Task<string> ReloadHost()
    {
        await one.WaitAsync();
        try
        {
            var next = HostFile.Read(host.Path);
            var changes = ConfigDiff.Between(host.Source, next.Source);
            if (changes.Count == 0) return $"{host.Path} changed, its values did not";
            var refused = changes.Where(change => LiveChange.OfHost(change.Path) is null).Select(change => change.ToString()).ToList();
            refused.AddRange(host.PluginFolders.Except(next.PluginFolders).Select(folder => $"the plugin folder {folder} is gone"));
            if (refused.Count > 0) return $"{host.Path} is not applied: {string.Join("; ", refused)}: a new run is needed for that";
            var joined = workspace.Catalog.Join([.. next.PluginFolders.Except(host.PluginFolders)]);
            workspace.Catalog.Apply(next.Quarantine);
            host = next;
            var text = new StringBuilder($"{host.Path} is applied:");
            foreach (var change in changes) text.Append($"\n  {change} ({LiveChange.OfHost(change.Path)})");
            foreach (var plugin in joined) text.Append($"\n  {plugin.Id} {plugin.Version} can be used");
            return text.ToString();
        }
        catch (Exception error) when (error is ConfigException or UserErrorException)
        {
            return $"{host.Path} is not applied: {error.Message}";
        }
        finally
        {
            one.Release();
        }
    }

    private static string Describe(SwapReport report)
    {
        var text = new StringBuilder();
        foreach (var plugin in report.Plugins) text.Append($"{plugin.Id} {plugin.Version} ({plugin.Hash[..12]}) serves");
        if (report.State is { } state) text.Append(Describe(state));
        foreach (var verdict in report.Verdicts) text.Append($"\n  the version before is {Describe(verdict)}");
        return text.ToString();
    }

    private static string Describe(UnloadVerdict verdict) => verdict.Outcome == UnloadOutcome.Unloaded ? $"unloaded: {verdict.Detail}" : $"not unloaded: {verdict.Detail}";

    private static string Describe(CarriedState state) =>
        $"\n  weights: {state.Carried.Count} carried, {state.Fresh.Count} new{Names(state.Fresh)}, {state.Dropped.Count} dropped{Names(state.Dropped)}";

    private static string Names(IReadOnlyList<string> names) => names.Count == 0 ? "" : $" ({string.Join(", ", names.Take(6))}{(names.Count > 6 ? ", ..." : "")})";

    /// <summary>The plugins of this host, in the order of their ids.</summary>
    public IReadOnlyList<PluginState> Plugins()
    {
        var telemetry = workspace.Catalog.Telemetry.ToLookup(item => (item.Id, item.Version));
        var pinned = workspace.Catalog.Pinned.ToLookup(item => item.Id);
        return [.. workspace.Catalog.Installed.All.OrderBy(plugin => plugin.Id, StringComparer.Ordinal).Select(plugin =>
        {
            var item = telemetry[(plugin.Id, plugin.Version)].FirstOrDefault();
            return new PluginState(plugin.Id, plugin.Kind, plugin.Version, plugin.Hash, plugin.Summary, plugin.Origin, item?.Calls ?? 0, item?.Failures ?? 0, item?.Time.TotalMilliseconds ?? 0, (item?.NativeBytes ?? 0) / 1e6, item?.Quarantine, pinned[plugin.Id].FirstOrDefault()?.Path);
        })];
    }

    private string List()
    {
        using var text = new StringWriter();
        var table = new TextTable("id", "version", "hash", "calls", "failures", "ms", "native MB", "state", "from");
        foreach (var plugin in Plugins())
            table.Add(plugin.Id, plugin.Version, plugin.Hash[..12], $"{plugin.Calls}", $"{plugin.Failures}", Number(plugin.Milliseconds), Number(plugin.NativeMegabytes), plugin.Quarantine is { } why ? $"quarantined: {why}" : "serves", plugin.Origin);
        table.Write(text);
        foreach (var pinned in workspace.Catalog.Pinned) text.WriteLine($"not let go: {pinned.Id} {pinned.Version}: {pinned.Path}");
        return text.ToString().TrimEnd();
    }

    private static string Number(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
}

/// <summary>Where a project was read from, so that it can be read again.</summary>
internal sealed record ProjectSource(string Path, IReadOnlyList<string> Set);
