using Filter.Language;
using Filter.NearDuplicate;
using Filter.Perplexity;
using Filter.SafetyText;
using Media.Image;
using PluginHost.Planted;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

/// <summary>A tenth of the planted set; all of it runs by <c>tests/campaign</c>.</summary>
public sealed class PlantedTests : IDisposable
{
    private static readonly Lazy<PlantedSet> Set = new(() => new PlantedSet(200));
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public void Language_PlantedSet_FindsTheWrongOnes() => Check(Plant.WrongLanguage, () => new LanguageFilter(new LanguageOptions()));

    [SkippableFact]
    public void SafetyText_PlantedSet_FindsTheUnsafeOnes() => Check(Plant.Unsafe, () => new SafetyTextFilter(NpmPackages.SafetyText()));

    [SkippableFact]
    public void Perplexity_PlantedSet_FindsTheGarbledOnes() =>
        Check(Plant.Garbled, () => new PerplexityFilter(new PerplexityOptions(Dictionary: NpmPackages.SafetyText().Dictionary)));

    [SkippableFact]
    public void NearDuplicate_PlantedTexts_FindsTheCopies()
    {
        Skip.If(PlantedTexts.Missing is not null, PlantedTexts.Missing);
        using var filter = new NearDuplicateFilter(new NearDuplicateOptions()).Open(Surroundings.Filter());
        Check(PlantedScore.OfCopies(Set.Value.Samples, filter));
    }

    [SkippableFact]
    public void NearDuplicate_PlantedPictures_FindsTheCopies()
    {
        Skip.If(PlantedTexts.Missing is not null, PlantedTexts.Missing);
        var decoder = new ImageMedia();
        using var filter = new NearDuplicateFilter(new NearDuplicateOptions()).Open(
            new FilterContext(Surroundings.Build, folder.Path, (content, modality, format) => decoder.Decode(((MediaFile)content).Path, modality, format, default)));
        Check(PlantedScore.OfCopies(new PlantedPictures(200, 1, folder.Path).Samples, filter));
    }

    private static void Check(Plant plant, Func<IFilterPlugin> make)
    {
        Skip.If(PlantedTexts.Missing is not null, PlantedTexts.Missing);
        using var filter = make().Open(Surroundings.Filter());
        Check(PlantedScore.Of(Set.Value, plant, filter));
    }

    private static void Check(PlantedScore score) =>
        Assert.True(score is { Recall: >= 0.95, Precision: >= 0.95 }, $"{score}\nmissed: {string.Join("\n  ", score.Missed)}\nwrong: {string.Join("\n  ", score.Wrong)}");
}
