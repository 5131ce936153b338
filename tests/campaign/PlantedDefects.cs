using Filter.Language;
using Filter.Perplexity;
using Filter.SafetyText;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Planted;
using PluginHost.Sdk;

namespace PluginHost.Campaign;

/// <summary>Holds the text filters against the planted set, each alone.</summary>
internal static class PlantedDefects
{
    /// <param name="size">Untouched samples.</param>
    /// <param name="plugins">The folder that the host's plugins were built to.</param>
    /// <param name="npm">The folder with the npm packages.</param>
    public static void Run(int size, string plugins, string npm)
    {
        var set = new PlantedSet(size);
        foreach (var plant in set.Samples.GroupBy(item => item.Plant).OrderBy(plant => plant.Key)) Console.WriteLine($"{plant.Count()} {plant.Key}");
        Hold(set, Plant.WrongLanguage, "filter.language", new LanguageFilter(new LanguageOptions()), Path.Combine(plugins, "Filter.Language"));
        var lists = new SafetyTextOptions(Path.Combine(npm, "node_modules", "naughty-words"), Path.Combine(npm, "node_modules", "@node-rs", "jieba", "dict.txt"));
        Hold(set, Plant.Unsafe, "filter.safety-text", new SafetyTextFilter(lists), plugins);
        Hold(set, Plant.Garbled, "filter.perplexity, from the corpus", new PerplexityFilter(new PerplexityOptions()), plugins);
        var reference = Directory.CreateTempSubdirectory("pluginhost-planted-").FullName;
        try
        {
            PlantedTexts.WriteReference(set, lists.Dictionary, reference);
            Hold(set, Plant.Garbled, "filter.perplexity, from a reference", new PerplexityFilter(new PerplexityOptions(Reference: reference)), plugins);
        }
        finally
        {
            Directory.Delete(reference, recursive: true);
        }
    }

    private static void Hold(PlantedSet set, Plant plant, string name, IFilterPlugin plugin, string content)
    {
        var build = new BuildContext { Device = TorchSharp.torch.CPU, Logger = NullLogger.Instance, ContentFolder = content };
        using var filter = plugin.Open(new FilterContext(build, content, (medium, _, _) => medium));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var score = PlantedScore.Of(set, plant, filter);
        Console.WriteLine($"{name}: {score}, {clock.ElapsedMilliseconds} ms");
        foreach (var kind in score.Missed.GroupBy(missed => missed.Split(": ")[0]).OrderBy(kind => kind.Key, StringComparer.Ordinal)) Console.WriteLine($"  {kind.Count()} missed of {set.Samples.Count(item => item.Plant == plant && item.Detail == kind.Key)} {kind.Key}");
        foreach (var missed in score.Missed) Console.WriteLine("  missed " + missed);
        foreach (var wrong in score.Wrong) Console.WriteLine("  wrong " + wrong);
    }
}
