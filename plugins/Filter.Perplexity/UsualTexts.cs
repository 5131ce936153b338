using System.Globalization;
using PluginHost.Sdk;

namespace Filter.Perplexity;

/// <summary>Learns what texts of a language are like, then holds each against it. Score: bits a character of the least usual text.</summary>
internal sealed class UsualTexts : IFilter
{
    private const int MostRemembered = 20_000; // texts that the median is taken of
    private const double ToStandardDeviations = 1.4826;
    private const int CharactersOfALogogram = 3;
    private const double ClippedAt = 3; // standard deviations: what garbage hardly reaches and sound texts seldom leave

    private readonly PerplexityOptions options;
    private readonly Func<string, ITextModel> make;
    private readonly Dictionary<string, ITextModel> references;
    private readonly Dictionary<string, ITextModel> surveyed = [];
    private readonly Dictionary<string, List<string>> remembered = [];
    private readonly Lazy<Dictionary<string, Usual>> usual;

    // A short text varies more than a long one, by the root of its length.
    private sealed record Usual(double Median, double Deviation)
    {
        public double Bound(double deviations, double characters) => Median + deviations * Deviation / Math.Sqrt(characters);
    }

    /// <param name="make">An empty model for a language.</param>
    /// <param name="references">Models that have learnt already.</param>
    public UsualTexts(PerplexityOptions options, Func<string, ITextModel> make, Dictionary<string, ITextModel> references)
    {
        (this.options, this.make, this.references) = (options, make, references);
        usual = new Lazy<Dictionary<string, Usual>>(() => remembered.Where(texts => texts.Value.Count >= options.Fewest).ToDictionary(texts => texts.Key, texts => Learn(texts.Key, texts.Value)));
    }

    public void Survey(Sample sample)
    {
        foreach (var item in Judged(sample))
        {
            var texts = remembered.TryGetValue(item.Language!, out var found) ? found : remembered[item.Language!] = [];
            if (texts.Count < MostRemembered) texts.Add(item.Text);
            if (references.ContainsKey(item.Language!)) continue;
            if (!surveyed.TryGetValue(item.Language!, out var model)) surveyed[item.Language!] = model = make(item.Language!);
            model.Add(item.Text);
        }
    }

    public FilterDecision Decide(Sample sample)
    {
        if (SampleText.Of(sample).FirstOrDefault(item => item.Language is not null && BrokenEncoding.Intended(item.Text) is not null) is { } broken)
            return new FilterDecision(false, double.NaN, options.Threshold, $"{broken.Place} is UTF-8 read as Latin-1; it means '{BrokenEncoding.Intended(broken.Text)}'");
        var (score, threshold, notes) = (double.NaN, options.Threshold, new SortedSet<string>(StringComparer.Ordinal));
        foreach (var item in Judged(sample))
        {
            var known = usual.Value.GetValueOrDefault(item.Language!);
            if ((known is null && options.Threshold == 0) || Cost(item.Language!, item.Text) is not var (bits, characters))
            {
                notes.Add($"fewer than {options.Fewest} texts of '{item.Language}' do not show what is usual");
                continue;
            }
            var bound = options.Threshold > 0 ? options.Threshold : known!.Bound(IsByWords(item.Language!) ? options.WordDeviations : options.Deviations, characters);
            if (bits > bound)
                return new FilterDecision(false, bits, bound, string.Create(CultureInfo.InvariantCulture, $"{item.Place} takes {bits:0.00} bits a character, more than {bound:0.00}: unlike the others in '{item.Language}'"));
            if (double.IsNaN(score) || bits - bound > score - threshold) (score, threshold) = (bits, bound);
        }
        if (double.IsNaN(score) && notes.Count == 0) notes.Add($"no text of a known language with {options.Shortest} characters");
        return new FilterDecision(true, score, threshold, notes.Count == 0 ? "kept" : "kept; " + string.Join("; ", notes));
    }

    public void Dispose()
    {
        // holds memory only
    }

    private IEnumerable<SampleText> Judged(Sample sample) => SampleText.Of(sample).Where(item => item.Language is not null && Length(item) >= options.Shortest);

    private bool IsByWords(string language) => (references.GetValueOrDefault(language) ?? surveyed.GetValueOrDefault(language)) is WordModel;

    private TextCost? Cost(string language, string text) =>
        references.TryGetValue(language, out var reference) ? reference.Cost(text, wasAdded: false)
        : surveyed.TryGetValue(language, out var model) ? model.Cost(text, wasAdded: true)
        : null;

    // What lies outside is left out and the rest looked at again, until nothing does: a fifth of garbage would widen its own bound.
    private Usual Learn(string language, List<string> texts)
    {
        TextCost[] costs = [.. texts.Select(text => Cost(language, text)!.Value)], inside = costs;
        for (; ; costs = inside)
        {
            var median = Median([.. costs.Select(cost => cost.Bits)]);
            var found = new Usual(median, ToStandardDeviations * Median([.. costs.Select(cost => Math.Abs(cost.Bits - median) * Math.Sqrt(cost.Characters))]));
            inside = [.. costs.Where(cost => cost.Bits <= found.Bound(ClippedAt, cost.Characters))];
            if (inside.Length == costs.Length || inside.Length < options.Fewest) return found;
        }
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }

    // In a language written with few characters each says more, and whatever stands in their place counts alike.
    private static int Length(SampleText item) => item.Text.Trim().Sum(character => item.Language is "zh" or "ja" || IsLogogram(character) ? CharactersOfALogogram : 1);

    private static bool IsLogogram(char character) => character is >= '\u3040' and <= '\u9fff' or >= '\uac00' and <= '\ud7af';
}
