using System.CommandLine;
using Microsoft.Extensions.Logging;
using PluginHost.Config;

namespace PluginHost.Commands;

/// <summary>The command line of <c>pluginhost data</c>.</summary>
internal static class DataCommandLine
{
    public static Command Build(Option<string?> hostFile, Option<string[]> set, Option<bool> json, ILoggerFactory loggers)
    {
        DataCommand Command(ParseResult parsed) => new(
            HostFile.Read(parsed.GetValue(hostFile)), parsed.GetValue(json), !Console.IsOutputRedirected && !parsed.GetValue(json), Console.Out, parsed.GetValue(json) ? Console.Error : Console.Out);

        var project = new Argument<string>("project") { Description = "A project file" };
        var folder = new Option<string?>("--out") { Description = "The folder for versions; default: 'data' in the artifacts folder" };
        var shard = new Option<int>("--shard") { Description = "Megabytes after which a shard is closed", DefaultValueFactory = _ => 256 };
        var templates = new Option<bool>("--templates") { Description = "Builds nothing, but shows a sample of each instruction type as a person reads it" };
        shard.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1 << 20) result.AddError("--shard is a number of megabytes from 1 to 1048576");
        });
        var build = new Command("build", "Filters a project's data and writes a version of it in shards; goes on with a build that was stopped") { project, folder, shard, templates, set, json };
        build.SetAction((parsed, cancellation) => Task.FromResult(parsed.GetValue(templates)
            ? new TemplatesCommand(HostFile.Read(parsed.GetValue(hostFile)), Console.Out, loggers, cancellation).Run(parsed.GetValue(project)!, parsed.GetValue(set) ?? [])
            : Command(parsed).Build(parsed.GetValue(project)!, parsed.GetValue(set) ?? [], parsed.GetValue(folder), (long)parsed.GetValue(shard) << 20, loggers, cancellation)));

        var version = new Argument<string>("version") { Description = "A version: folder, name or 'latest'" };
        var verify = new Command("verify", "Compares a version's shards with the hashes of when it was built") { version, json };
        verify.SetAction(parsed => Command(parsed).Verify(parsed.GetValue(version)!));
        var inspect = new Command("inspect", "Writes a page of a version: samples, what was dropped and why, scores, near-duplicates") { version, json };
        inspect.SetAction(parsed => Command(parsed).Inspect(parsed.GetValue(version)!));
        return new Command("data", "Versions of data, filtered and in shards") { build, verify, inspect };
    }
}
