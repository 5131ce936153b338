using System.Runtime.InteropServices;
using System.Text.Json;

namespace PluginHost.Catalog.Inspection;

/// <summary>Reads a plugin's <c>.deps.json</c>, by which the loader finds its native libraries.</summary>
internal static class DependencyFile
{
    /// <summary>Checks the file, when there is one.</summary>
    /// <exception cref="FolderFaultException">It is malformed, or names a native library for this machine that is not in the folder.</exception>
    public static void Check(string main)
    {
        var path = Path.ChangeExtension(main, ".deps.json");
        if (!File.Exists(path)) return;
        var name = Path.GetFileName(path);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var folder = Path.GetDirectoryName(main)!;
            foreach (var native in Natives(document.RootElement))
                if (!File.Exists(Path.Combine(folder, native)) && !File.Exists(Path.Combine(folder, Path.GetFileName(native))))
                    throw new FolderFaultException($"{name} names the native library {native}, which is not in the folder; build or install the plugin again");
        }
        catch (JsonException)
        {
            throw new FolderFaultException($"{name} is not valid JSON; build or install the plugin again");
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException)
        {
            throw new FolderFaultException($"{name} is not a dependency file: it has not the shape of one; build or install the plugin again");
        }
    }

    private static IEnumerable<string> Natives(JsonElement root)
    {
        root.GetProperty("libraries").EnumerateObject();
        foreach (var library in root.GetProperty("targets").EnumerateObject().SelectMany(target => target.Value.EnumerateObject()))
        {
            if (library.Value.TryGetProperty("native", out var natives))
                foreach (var asset in natives.EnumerateObject()) yield return asset.Name;
            if (!library.Value.TryGetProperty("runtimeTargets", out var perRuntime)) continue;
            // The nearest runtime that the library has anything for is the one that is loaded.
            var assets = perRuntime.EnumerateObject().Where(asset => asset.Value.GetProperty("assetType").GetString() == "native")
                .GroupBy(asset => asset.Value.GetProperty("rid").GetString()).ToDictionary(group => group.Key!, group => group.Select(asset => asset.Name).ToList());
            if (Runtimes.FirstOrDefault(assets.ContainsKey) is { } nearest)
                foreach (var asset in assets[nearest]) yield return asset;
        }
    }

    private static string[] Runtimes { get; } = OfThisMachine();

    private static string[] OfThisMachine()
    {
        var processor = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        if (OperatingSystem.IsWindows()) return [$"win-{processor}", "win", "any"];
        string[] own = OperatingSystem.IsMacOS() ? [$"osx-{processor}", "osx"] : [$"linux-{processor}", "linux"];
        return [.. own, $"unix-{processor}", "unix", "any"];
    }
}
