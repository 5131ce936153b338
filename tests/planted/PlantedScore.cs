using System.Globalization;
using PluginHost.Sdk;

namespace PluginHost.Planted;

/// <summary>
/// How a filter fares against what was planted for it. Recall: the part of its own defect that it drops. Precision: that, over all drops of
/// its own defect and of sound samples (false friends and duplicates among them); samples with another defect count for neither.
/// </summary>
internal sealed record PlantedScore(Plant Plant, int Found, int All, IReadOnlyList<string> Missed, IReadOnlyList<string> Wrong)
{
    public double Recall => (double)Found / All;

    public double Precision => Found == 0 ? 0 : (double)Found / (Found + Wrong.Count);

    public static PlantedScore Of(PlantedSet set, Plant plant, IFilter filter) => Of(set.Samples, plant, filter);

    /// <summary>
    /// Copies are looked for where they come after their originals: of two alike the first is kept. Samples with another defect are left out: some
    /// of them are spoilt with a text that stands in the set already.
    /// </summary>
    public static PlantedScore OfCopies(IReadOnlyList<Planted> samples, IFilter filter) => Of(
        [.. samples.Where(item => item.Plant is Plant.None or Plant.FalseFriend or Plant.Duplicate).OrderBy(item => item.Plant == Plant.Duplicate)], Plant.Duplicate, filter);

    private static PlantedScore Of(IReadOnlyList<Planted> samples, Plant plant, IFilter filter)
    {
        foreach (var item in samples) filter.Survey(item.Sample);
        var decided = samples.AsParallel().AsOrdered().Select(item => (item.Plant, item.Detail, Text: item.Sample.Texts.Values.FirstOrDefault(item.Sample.Id), Decision: filter.Decide(item.Sample))).ToList();
        var own = decided.Where(item => item.Plant == plant).ToList();
        var others = decided.Where(item => item.Plant != plant && (item.Plant is Plant.None or Plant.FalseFriend or Plant.Duplicate) && !item.Decision.Keep);
        return new PlantedScore(plant, own.Count(item => !item.Decision.Keep), own.Count, [.. own.Where(item => item.Decision.Keep).Select(item => $"{item.Detail}: {item.Text} ({item.Decision.Score:0.00} of {item.Decision.Threshold:0.00})")],
            [.. others.Select(item => $"{item.Plant}: {item.Text}: {item.Decision.Reason}")]);
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Plant}: recall {Recall:0.000} ({Found} of {All}), precision {Precision:0.000} ({Wrong.Count} sound samples dropped)");
}
