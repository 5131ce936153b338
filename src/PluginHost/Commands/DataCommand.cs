using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Artifacts.Datasets;
using PluginHost.Artifacts.Models;
using PluginHost.Artifacts.Report;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using PluginHost.Terminal;
using static TorchSharp.torch;

namespace PluginHost.Commands;

/// <summary><c>pluginhost data build|verify|inspect</c>: versions of data, filtered and in shards.</summary>
internal sealed class DataCommand(HostConfig host, bool json, bool terminal, TextWriter output, TextWriter log)
{
    /// <summary>Where versions lie unless a command says otherwise.</summary>
    private string Folder => Path.Combine(host.Artifacts, "data");

    /// <summary>Builds the version of a project's data, or finds it.</summary>
    /// <param name="file">The project file.</param>
    /// <param name="set">Overrides.</param>
    /// <param name="folder">Where to put it; null: the artifacts folder's <c>data</c>.</param>
    /// <param name="shardBytes">Bytes after which a shard is closed.</param>
    public int Build(string file, IReadOnlyList<string> set, string? folder, long shardBytes, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var project = ProjectFile.Read(file, set, RunFolder.Finder(host.Artifacts));
        using var catalog = PluginCatalog.Discover(host, loggers);
        using var models = new TrainedModels(catalog, host.Artifacts, loggers, cancellation);
        var plan = GraphPlanner.Plan(project, catalog.Installed, models);
        NativeTorch.Load();
        var owned = new List<IDisposable>();
        try
        {
            PluginLease Lease(PlannedPlugin plugin)
            {
                var lease = catalog.Lease(plugin.Description, plugin.Settings);
                owned.Add(lease);
                return lease;
            }
            BuildContext Context(PluginDescription plugin, params IReadOnlyList<PlannedRequirement> requirements) => new()
            {
                Device = CPU,
                Seed = project.Seed,
                Logger = loggers.CreateLogger(plugin.Id),
                Cancellation = cancellation,
                ContentFolder = plugin.Folder,
                Supplied = [.. requirements.Select(requirement => models.Supply(requirement, CPU))],
            };
            var around = Path.GetDirectoryName(Path.GetFullPath(project.Path))!;
            var format = Dataset.FormatOf(project.Data);
            var media = new MediaDecoding([.. plan.Media.Select(item => new MediaPlugin(item.Description.Id, item.Description.Accepts, Lease(item).Guarded<IMediaDecoder>()))], format, TimeSpan.FromSeconds(project.Data.DecodeSeconds));
            var rejections = new RejectionLog();
            var templates = plan.Templates is { } words ? Lease(words).As<ITemplatePlugin>().Open(Context(words.Description), around) : null;
            ISource Opened(PlannedPlugin plugin) => TemplatedSource.Of(
                Lease(plugin).As<ISourcePlugin>().Open(new SourceContext(Context(plugin.Description), format, around, rejections.Add) { Instructions = templates is not null }), templates);
            using var source = MixedSource.Of([.. plan.Sources.Select(item => new WeightedSource(Opened(item.Plugin), item.Weight))]);
            ChosenFilter Chosen(PlannedPlugin filter) => new(filter.Description.Id, () => Lease(filter).As<IFilterPlugin>().Open(
                new FilterContext(Context(filter.Description, filter.Requirements), around, (content, modality, wanted) => media.Decode(content, modality, wanted, cancellation))));

            var progress = new WorkProgress(log, terminal);
            void Show(string doing, double part) => progress.Show(doing, part);
            var build = new DatasetBuild(source, folder ?? Folder, project.Name, Recipe(plan, format, shardBytes, models), Show, cancellation) { ShardBytes = shardBytes };
            var (version, built) = build.Run(() => new FilterRounds(source, media, Show, cancellation).Run([.. plan.Filters.Select(round => (IReadOnlyList<ChosenFilter>)[.. round.Select(Chosen)])], rejections.Entries));
            progress.End();
            version.MakeLatest();
            Report(version, built, rejections.Entries);
            return ExitCode.Success;
        }
        finally
        {
            for (var i = owned.Count - 1; i >= 0; i--) owned[i].Dispose();
        }
    }

    /// <summary>Compares a version's shards with its manifest.</summary>
    public int Verify(string name)
    {
        var version = DatasetVersion.Find(Folder, name);
        var wrong = Read(version, version.Verify);
        if (json) output.WriteLine(new JsonObject { ["version"] = version.Name, ["wrong"] = new JsonArray([.. wrong.Select(line => (JsonNode)line)]) }.ToJsonString());
        else foreach (var line in wrong.DefaultIfEmpty($"{version.Name}: {version.Shards.Count} shards are as they were built")) output.WriteLine(line);
        return wrong.Count == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    /// <summary>Writes a version's page.</summary>
    public int Inspect(string name)
    {
        var version = DatasetVersion.Find(Folder, name);
        AtomicFile.WriteText(version.Page, Read(version, () => DatasetPage.Render(version)));
        if (json) output.WriteLine(new JsonObject { ["version"] = version.Name, ["page"] = version.Page }.ToJsonString());
        else output.WriteLine($"{version.Name}: {version.Page}");
        return ExitCode.Success;
    }

    // Where a byte has changed, its readers fail in as many ways as there are places.
    private static T Read<T>(DatasetVersion version, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is InvalidDataException or JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentException or NullReferenceException or EndOfStreamException)
        {
            throw new UserErrorException($"{version.Path} is damaged: {error.Message} 'pluginhost data verify' names the file; copy the version again, or build it again.");
        }
    }

    // What decides which bytes come out; nothing of the model.
    private static JsonObject Recipe(GraphPlan plan, MediaFormat format, long shardBytes, TrainedModels models) => new()
    {
        ["seed"] = plan.Project.Seed,
        ["shardBytes"] = shardBytes,
        ["sources"] = new JsonArray([.. plan.Sources.Select(item => Used(item.Plugin, models))]),
        ["format"] = new JsonObject { ["imageSize"] = format.ImageSize, ["audioRate"] = format.AudioRate, ["audioSeconds"] = format.AudioSeconds, ["videoSize"] = format.VideoSize, ["videoFrames"] = format.VideoFrames, ["videoRate"] = format.VideoRate },
        ["media"] = new JsonArray([.. plan.Media.Select(item => Used(item, models))]),
        ["filters"] = new JsonArray([.. plan.Filters.Select(round => new JsonArray([.. round.Select(item => Used(item, models))]))]),
    };

    private static JsonObject Used(PlannedPlugin plugin, TrainedModels models)
    {
        // A run by what is in it: names and aliases move.
        var settings = new SortedDictionary<string, object?>(plugin.Settings.ToDictionary(), StringComparer.Ordinal);
        foreach (var requirement in plugin.Requirements) settings[requirement.Setting] = "sha256:" + models.Identity(requirement.Run);
        return new JsonObject
        {
            ["plugin"] = plugin.Description.Id,
            ["version"] = plugin.Description.Version,
            ["hash"] = plugin.Description.Hash,
            ["settings"] = JsonSerializer.SerializeToNode(settings, PlainJson.Options),
        };
    }

    private void Report(DatasetVersion version, bool built, IReadOnlyList<Rejection> rejections)
    {
        var manifest = version.Manifest;
        if (json)
        {
            output.WriteLine(new JsonObject
            {
                ["version"] = version.Name,
                ["folder"] = version.Path,
                ["built"] = built,
                ["samples"] = manifest["samples"]!.DeepClone(),
                ["splits"] = manifest["splits"]!.DeepClone(),
                ["counts"] = manifest["counts"]!.DeepClone(),
                ["rejected"] = new JsonArray([.. rejections.Select(rejection => new JsonObject { ["id"] = rejection.Id, ["reason"] = rejection.Reason })]),
            }.ToJsonString());
            return;
        }
        foreach (var count in manifest["counts"]!.AsArray())
        {
            output.WriteLine((int)count!["round"]! == 0 ? $"{count["filter"]}: {count["dropped"]} left out" : $"round {count["round"]} {count["filter"]}: {count["kept"]} kept, {count["dropped"]} dropped");
            foreach (var (reason, number) in count["reasons"]!.AsObject().Take(5)) output.WriteLine($"  {number} x {reason}");
        }
        output.WriteLine($"{manifest["samples"]} samples ({string.Join(", ", manifest["splits"]!.AsObject().Select(split => $"{split.Value} {split.Key}"))}) in {version.Shards.Count} shards, {version.Shards.Sum(shard => shard.Bytes) / 1e6:0.0} MB");
        output.WriteLine($"version {version.Name} {(built ? "built" : "is there already")}: {version.Path}");
    }
}
