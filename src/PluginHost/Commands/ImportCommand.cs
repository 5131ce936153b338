using System.Globalization;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts.Published;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary>Makes a run of a published model, and says what became of every tensor: <c>pluginhost import</c>.</summary>
internal sealed class ImportCommand(HostConfig host, ILoggerFactory loggers, TextWriter output, CancellationToken cancellation)
{
    public int Run(string folder, string? name, bool json)
    {
        using var catalog = PluginCatalog.Discover(host, loggers);
        NativeTorch.Load();
        var report = new ModelImport(catalog, host.Artifacts, loggers, cancellation).Import(folder, name);
        if (json) output.WriteLine(report.ToJson().ToJsonString());
        else Print(report);
        if (report.Folder is null)
            throw new UserErrorException($"{folder} lacks {report.Missing.Count()} of the {report.Tensors.Count} tensors that its config.json asks for ({string.Join(", ", report.Missing.Take(3).Select(tensor => tensor.Published))}{(report.Missing.Skip(3).Any() ? ", ..." : "")}), so nothing was imported.");
        return 0;
    }

    private void Print(ImportReport report)
    {
        var table = new TextTable("tensor", "published as", "shape", "");
        foreach (var tensor in report.Tensors)
            table.Add(tensor.Name, tensor.Published, $"[{string.Join(", ", tensor.Shape)}]", tensor.Missing ? "missing" : tensor.Added > 0 ? $"mapped, {tensor.Added} rows added" : "mapped");
        foreach (var (name, reason) in report.LeftOver) table.Add("", name, "", reason is null ? "left over" : $"left over: {reason}");
        table.Write(output);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{report.Architecture} as {report.Plugin}: {report.Parameters:#,0} parameters; {report.Tensors.Count(tensor => !tensor.Missing)} tensors mapped, {report.Missing.Count()} missing, {report.LeftOver.Count} left over"));
        if (report.Folder is null) return;
        output.WriteLine($"run folder: {report.Folder}");
        output.WriteLine($"use it:     \"from\": \"{report.Name}\" in a project's node and tokenizer{(report.Plugin.StartsWith("decoder.", StringComparison.Ordinal) ? $", or pluginhost chat {report.Name}" : "")}");
    }
}
