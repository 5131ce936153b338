using System.Globalization;
using PluginHost.Sdk;

namespace Filter.Perplexity;

/// <summary>Learns what texts of a language are like, then holds each against it. Score: bits a character of the least usual text.</summary>
internal sealed class UsualTexts : IFilter
{
    private const int MostRemembered = 20_000; // texts that the median is taken of
    private const double ToStandardDeviations = 1.4826;
    private const int CharactersOfALogogram = 3;

    private readonly PerplexityOptions options;
    private readonly Dictionary<string, CharacterModel> references;
    private readonly Dictionary<string, CharacterModel> surveyed = [];
    private readonly Dictionary<string, List<string>> remembered = [];
    private readonly Lazy<Dictionary<string, double>> bounds;

    public UsualTexts(PerplexityOptions options, Dictionary<string, CharacterModel> references)
    {
        this.options = options;
        this.references = references;
        bounds = new Lazy<Dictionary<string, double>>(() => remembered.ToDictionary(texts => texts.Key, texts => Bound(texts.Key, texts.Value)));
    }

    public void Survey(Sample sample)
    {
        foreach (var item in Judged(sample))
        {
            var texts = remembered.TryGetValue(item.Language!, out var found) ? found : remembered[item.Language!] = [];
            if (texts.Count < MostRemembered) texts.Add(item.Text);
            if (references.ContainsKey(item.Language!)) continue;
            if (!surveyed.TryGetValue(item.Language!, out var model)) surveyed[item.Language!] = model = new CharacterModel();
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
            var bound = options.Threshold > 0 ? options.Threshold : bounds.Value.GetValueOrDefault(item.Language!, double.NaN);
            if (double.IsNaN(bound) || Bits(item) is not { } bits)
            {
                notes.Add($"fewer than {options.Fewest} texts of '{item.Language}' do not show what is usual");
                continue;
            }
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

    private IEnumerable<SampleText> Judged(Sample sample) => SampleText.Of(sample).Where(item => item.Language is not null && Length(item.Text) >= options.Shortest);

    private double? Bits(SampleText item) =>
        references.TryGetValue(item.Language!, out var reference) ? reference.Bits(item.Text, wasAdded: false)
        : surveyed.TryGetValue(item.Language!, out var model) ? model.Bits(item.Text, wasAdded: true)
        : null;

    private double Bound(string language, List<string> texts)
    {
        if (texts.Count < options.Fewest) return double.NaN;
        var bits = texts.Select(text => Bits(new SampleText("", language, text))!.Value).ToArray();
        var median = Median(bits);
        return median + options.Deviations * ToStandardDeviations * Median([.. bits.Select(value => Math.Abs(value - median))]);
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }

    private static int Length(string text) => text.Trim().Sum(character => character is >= '\u3040' and <= '\u9fff' or >= '\uac00' and <= '\ud7af' ? CharactersOfALogogram : 1);
}
