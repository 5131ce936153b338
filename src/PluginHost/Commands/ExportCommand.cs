using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Artifacts.Published;
using PluginHost.Artifacts.Published.Onnx;
using PluginHost.Catalog;
using PluginHost.Config;

namespace PluginHost.Commands;

/// <summary>Writes a run's model for other runtimes: <c>pluginhost export</c>.</summary>
internal sealed class ExportCommand(HostConfig host, ILoggerFactory loggers, TextWriter output, CancellationToken cancellation)
{
    public int Run(string name, string format, GgufType type, string folder, bool json)
    {
        var found = RunFolder.Find(host.Artifacts, name);
        using var catalog = PluginCatalog.Discover(host, loggers);
        NativeTorch.Load();
        using var run = ExportedRun.Open(found, catalog, loggers, cancellation);
        folder = Path.GetFullPath(folder);
        var (files, leftOut) = format switch
        {
            "huggingface" => new ExportedFiles(HuggingFaceExport.Write(run, ExportTokens.Of(run, catalog), folder), []),
            "gguf" => new ExportedFiles(Gguf(run, catalog, type, folder), []),
            _ => OnnxExport.Write(run, folder),
        };
        if (json)
        {
            output.WriteLine(new JsonObject { ["run"] = run.Folder.Name, ["format"] = format, ["folder"] = folder, ["files"] = Names(files), ["leftOut"] = Names(leftOut) }.ToJsonString());
            return 0;
        }
        foreach (var file in files) output.WriteLine(Path.Combine(folder, file));
        foreach (var reason in leftOut) output.WriteLine($"left out: {reason}");
        return 0;
    }

    private static JsonArray Names(IReadOnlyList<string> names) => new([.. names.Select(name => (JsonNode)name)]);

    private static IReadOnlyList<string> Gguf(ExportedRun run, PluginCatalog catalog, GgufType type, string folder)
    {
        Directory.CreateDirectory(folder);
        var file = $"{run.Plan.Project.Name}-{type.ToString().ToLowerInvariant()}.gguf";
        GgufExport.Write(run, ExportTokens.Of(run, catalog), type, Path.Combine(folder, file));
        return [file];
    }
}
