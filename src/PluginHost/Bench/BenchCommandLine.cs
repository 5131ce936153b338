using System.CommandLine;
using System.Text.Json.Nodes;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Bench;

/// <summary>The arguments of <c>pluginhost bench</c>.</summary>
internal static class BenchCommandLine
{
    private static readonly System.Text.Json.JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Build(Option<string?> hostFile, Option<string[]> set, Option<bool> json)
    {
        var project = new Argument<string?>("project") { Description = "A project file; default: bench.json beside the host file", Arity = ArgumentArity.ZeroOrOne };
        var report = new Option<string?>("--report") { Description = "Also writes the figures' JSON here" };
        var rounds = new Option<int>("--rounds") { Description = "Rounds of the comparison; figures are medians over them", DefaultValueFactory = _ => 7 };
        var steps = new Option<int>("--memory-steps") { Description = "Steps over which memory is watched before", DefaultValueFactory = _ => 24 };
        var train = new Command("train", "Measures training steps of a project's first stage beside matrix products and a model written straight against TorchSharp")
        {
            project, set, report, rounds, steps, json,
        };
        train.SetAction((parsed, cancellation) => Task.FromResult(Train(
            parsed.GetValue(hostFile), parsed.GetValue(project), parsed.GetValue(set) ?? [], new BenchLength(AtLeast(parsed, rounds, 1), AtLeast(parsed, steps, 2)),
            parsed.GetValue(report), parsed.GetValue(json), cancellation)));
        var decode = new Command("decode", "Measures decoding of one, eight and sixteen sequences beside reading memory and libtorch's path") { project, set, report, rounds, json };
        decode.SetAction((parsed, cancellation) => Task.FromResult(Decode(
            parsed.GetValue(hostFile), parsed.GetValue(project), parsed.GetValue(set) ?? [], AtLeast(parsed, rounds, 1), parsed.GetValue(report), parsed.GetValue(json), cancellation)));
        var load = new Option<int>("--load-seconds") { Description = "How long the server is put under each load", DefaultValueFactory = _ => 30 };
        var requests = new Option<int>("--requests") { Description = "Requests over which memory is watched", DefaultValueFactory = _ => 1000 };
        var serve = new Command("serve", "Measures a server: streams beside the bare decode loop, times to the first token at rest and under load, memory over many requests") { project, set, report, rounds, load, requests, json };
        serve.SetAction((parsed, cancellation) => Serve(
            parsed.GetValue(hostFile), parsed.GetValue(project), parsed.GetValue(set) ?? [], new ServeBenchLength(AtLeast(parsed, rounds, 1), AtLeast(parsed, load, 1), AtLeast(parsed, requests, 20)),
            parsed.GetValue(report), parsed.GetValue(json), cancellation));
        return new Command("bench", "Measures this machine and the host on it") { train, decode, serve, Tools(hostFile, report, json) };
    }

    private static Command Tools(Option<string?> hostFile, Option<string?> report, Option<bool> json)
    {
        var run = new Argument<string>("run") { Description = "A trained run: folder, name or 'latest'", DefaultValueFactory = _ => "latest" };
        var requests = new Option<int>("--requests") { Description = "Held-out requests of each kind at most", DefaultValueFactory = _ => 100 };
        var tools = new Command("tools", "Measures what a trained run calls: held-out requests for functions that it was taught, and for some that it was not") { run, report, requests, json };
        tools.SetAction(async (parsed, cancellation) =>
        {
            var host = HostFile.Read(parsed.GetValue(hostFile));
            NativeTorch.Load();
            var result = await new ToolsBench(host, RunFolder.Find(host.Artifacts, parsed.GetValue(run)!), AtLeast(parsed, requests, 1), parsed.GetValue(json) ? Console.Error : Console.Out, cancellation).RunAsync();
            return Write(result.ToJson(), result.Write, parsed.GetValue(report), parsed.GetValue(json));
        });
        return tools;
    }

    private static int AtLeast(ParseResult parsed, Option<int> option, int least) =>
        parsed.GetValue(option) is var value && value >= least ? value : throw new UserErrorException($"{option.Name} {value}: at least {least} is needed.");

    private static int Train(string? hostFile, string? project, IReadOnlyList<string> set, BenchLength length, string? report, bool json, CancellationToken cancellation)
    {
        var (host, read) = Read(hostFile, project, set);
        var result = new TrainBench(host, read, length, json ? Console.Error : Console.Out, cancellation).Run();
        return Write(result.ToJson(), result.Write, report, json);
    }

    private static int Decode(string? hostFile, string? project, IReadOnlyList<string> set, int rounds, string? report, bool json, CancellationToken cancellation)
    {
        var (host, read) = Read(hostFile, project, set);
        var result = new DecodeBench(host, read, rounds, json ? Console.Error : Console.Out, cancellation).Run();
        return Write(result.ToJson(), result.Write, report, json);
    }

    private static async Task<int> Serve(string? hostFile, string? project, IReadOnlyList<string> set, ServeBenchLength length, string? report, bool json, CancellationToken cancellation)
    {
        var (host, read) = Read(hostFile, project, set);
        var result = await new ServeBench(host, read, length, json ? Console.Error : Console.Out, cancellation).RunAsync();
        return Write(result.ToJson(), result.Write, report, json);
    }

    private static (HostConfig Host, ProjectConfig Project) Read(string? hostFile, string? project, IReadOnlyList<string> set)
    {
        var host = HostFile.Read(hostFile);
        var path = project ?? Path.Combine(host.Path.Length > 0 ? Path.GetDirectoryName(host.Path)! : "host-config", "bench.json");
        var read = ProjectFile.Read(path, set, RunFolder.Finder(host.Artifacts));
        NativeTorch.Load();
        return (host, read);
    }

    private static int Write(JsonObject figures, Action<TextWriter> table, string? report, bool json)
    {
        if (report is not null) AtomicFile.WriteText(report, figures.ToJsonString(Indented));
        if (json) Console.Out.WriteLine(figures.ToJsonString());
        else table(Console.Out);
        return ExitCode.Success;
    }
}
