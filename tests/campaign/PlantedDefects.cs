using Filter.Language;
using Filter.NearDuplicate;
using Filter.Perplexity;
using Filter.SafetyText;
using Media.Image;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Planted;
using PluginHost.Sdk;

namespace PluginHost.Campaign;

/// <summary>Holds the text filters against the planted set, each alone.</summary>
internal static class PlantedDefects
{
    /// <param name="size">Untouched samples.</param>
    /// <param name="seed">Seed of the set; 2 to 5 were looked at while the filters were mended.</param>
    /// <param name="plugins">The folder that the host's plugins were built to.</param>
    /// <param name="npm">The folder with the npm packages.</param>
    public static void Run(int size, int seed, string plugins, string npm)
    {
        var set = new PlantedSet(size, seed);
        foreach (var plant in set.Samples.GroupBy(item => item.Plant).OrderBy(plant => plant.Key)) Console.WriteLine($"{plant.Count()} {plant.Key}");
        Hold(set, Plant.WrongLanguage, "filter.language", new LanguageFilter(new LanguageOptions()), Path.Combine(plugins, "Filter.Language"));
        var modules = Path.Combine(npm, "node_modules");
        var words = Path.Combine(modules, "@node-rs", "jieba", "dict.txt");
        Hold(set, Plant.Unsafe, "filter.safety-text", new SafetyTextFilter(
            new SafetyTextOptions(Path.Combine(modules, "naughty-words"), words, Allow: PlantedWords.InnocentInDefinitions, Ratings: Path.Combine(modules, "cuss"))), plugins);
        Hold(set, Plant.Garbled, "filter.perplexity", new PerplexityFilter(new PerplexityOptions(Dictionary: words)), plugins);
        var folder = Directory.CreateTempSubdirectory("pluginhost-planted-").FullName;
        try
        {
            using var texts = new NearDuplicateFilter(new NearDuplicateOptions()).Open(Context(plugins, (content, _, _) => content));
            Report(set.Samples, "filter.near-duplicate, texts", PlantedScore.OfCopies(set.Samples, texts), 0);
            var (pictures, decoder) = (new PlantedPictures(size / 10, seed, folder), new ImageMedia());
            using var images = new NearDuplicateFilter(new NearDuplicateOptions()).Open(Context(plugins, (content, modality, format) => decoder.Decode(((MediaFile)content).Path, modality, format, default)));
            Report(pictures.Samples, "filter.near-duplicate, pictures", PlantedScore.OfCopies(pictures.Samples, images), 0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Hold(PlantedSet set, Plant plant, string name, IFilterPlugin plugin, string content)
    {
        using var filter = plugin.Open(Context(content, (medium, _, _) => medium));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Report(set.Samples, name, PlantedScore.Of(set, plant, filter), clock.ElapsedMilliseconds);
    }

    private static FilterContext Context(string content, Func<MediaContent, string, MediaFormat, MediaContent> decode) =>
        new(new BuildContext { Device = TorchSharp.torch.CPU, Logger = NullLogger.Instance, ContentFolder = content }, content, decode);

    private static void Report(IReadOnlyList<PluginHost.Planted.Planted> samples, string name, PlantedScore score, long milliseconds)
    {
        Console.WriteLine($"{name}: {score}{(milliseconds > 0 ? $", {milliseconds} ms" : "")}");
        foreach (var kind in score.Missed.GroupBy(missed => missed.Split(": ")[0]).OrderBy(kind => kind.Key, StringComparer.Ordinal)) Console.WriteLine($"  {kind.Count()} missed of {samples.Count(item => item.Plant == score.Plant && item.Detail == kind.Key)} {kind.Key}");
        foreach (var missed in score.Missed) Console.WriteLine("  missed " + missed);
        foreach (var wrong in score.Wrong) Console.WriteLine("  wrong " + wrong);
    }
}
