using Filter.SafetyText;
using PluginHost.Planted;

namespace Plugins.Data.Tests;

/// <summary>The npm packages that tests read in place, below the folder that <c>PLUGINHOST_NPM</c> names; <c>.ci/run</c> installs them.</summary>
internal static class NpmPackages
{
    /// <summary>The folder of a package; skips the test where it is missing.</summary>
    public static string Folder(string package, string version)
    {
        var path = Path.Combine(Environment.GetEnvironmentVariable("PLUGINHOST_NPM") ?? "", "node_modules", package);
        Skip.IfNot(Path.IsPathRooted(path) && Directory.Exists(path), $"needs npm's {package}: npm install --prefix FOLDER {package}@{version}, and PLUGINHOST_NPM=FOLDER");
        return path;
    }

    public static SafetyTextOptions SafetyText() =>
        new(Lists: Folder("naughty-words", "1.2.0"), Dictionary: Path.Combine(Folder("@node-rs/jieba", "2.0.1"), "dict.txt"), Allow: PlantedWords.InnocentInDefinitions, Ratings: Folder("cuss", "2.2.0"));
}
