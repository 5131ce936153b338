using System.Globalization;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Filter.Alignment;

/// <summary>Embeds in the survey, many at once; decides by what was found. Score: the cosine of the caption that lies worst against its bound.</summary>
internal sealed class OpenAlignmentFilter : IFilter
{
    private const int BatchSize = 64;
    private const double ToStandardDeviations = 1.4826;

    // What a decoded medium is embedded from, where its file is none that others read: twice what encoders usually take.
    private static readonly MediaFormat Decoded = new(448, 16_000, 30);

    private readonly AlignmentOptions options;
    private readonly FilterContext context;
    private readonly IEmbeddingGenerator<AIContent, Embedding<float>> generator;
    private readonly string modality;
    private readonly List<Pair> pending = [];
    private readonly Dictionary<string, List<Likeness>> found = [];
    private readonly Dictionary<string, string> bad = [];
    private readonly Lazy<Dictionary<string, double>> bounds;

    private sealed record Pair(string Id, DataContent Medium, KeyValuePair<string, string>[] Texts);

    private readonly record struct Likeness(string Language, double Cosine);

    public OpenAlignmentFilter(AlignmentOptions options, FilterContext context, IEmbeddingGenerator<AIContent, Embedding<float>> generator)
    {
        (this.options, this.context, this.generator) = (options, context, generator);
        modality = options.Medium == Medium.Image ? "image" : "audio";
        bounds = new Lazy<Dictionary<string, double>>(Bounds);
    }

    public void Survey(Sample sample)
    {
        if ((options.Medium == Medium.Image ? sample.Image : sample.Audio) is not { } medium) return;
        KeyValuePair<string, string>[] texts = [.. sample.Texts.Where(text => !string.IsNullOrWhiteSpace(text.Value))];
        if (texts.Length == 0) return;
        pending.Add(new Pair(sample.Id, MediaData.Of(MediaData.Takes(medium) ? medium : context.Decode(medium, modality, Decoded)), texts));
        if (pending.Count == BatchSize) Measure();
    }

    public FilterDecision Decide(Sample sample)
    {
        var known = bounds.Value;
        if (bad.TryGetValue(sample.Id, out var reason)) throw new BadSampleException(reason);
        if (!found.TryGetValue(sample.Id, out var captions)) return new FilterDecision(true, double.NaN, options.Threshold, $"no caption with {(options.Medium == Medium.Image ? "a picture" : "a sound")}");
        var (language, cosine) = captions.MinBy(caption => caption.Cosine - Bound(caption.Language));
        var bound = Bound(language);
        return cosine >= bound
            ? new FilterDecision(true, cosine, bound, "kept")
            : new FilterDecision(false, cosine, bound, string.Create(CultureInfo.InvariantCulture, $"text '{language}' does not fit the {modality}: their cosine is {cosine:0.000}, less than {bound:0.000}"));

        double Bound(string language) => Math.Max(options.Threshold, known.GetValueOrDefault(language, options.Threshold));
    }

    public void Dispose()
    {
        // the generator is the host's
    }

    private void Measure()
    {
        try
        {
            Measure(pending);
        }
        catch (BadSampleException)
        {
            // One of them; which one, is known when each goes alone.
            foreach (var pair in pending)
            {
                try
                {
                    Measure([pair]);
                }
                catch (BadSampleException error)
                {
                    bad[pair.Id] = error.Message;
                }
            }
        }
        pending.Clear();
    }

    private void Measure(IReadOnlyList<Pair> pairs)
    {
        var vectors = generator.GenerateAsync([.. pairs.SelectMany(pair => pair.Texts.Select(text => (AIContent)new TextContent(text.Value)).Prepend(pair.Medium))], cancellationToken: context.Build.Cancellation)
            .GetAwaiter().GetResult();
        var next = 0;
        foreach (var pair in pairs)
        {
            var medium = vectors[next++].Vector.Span;
            var likenesses = found[pair.Id] = [];
            foreach (var (language, _) in pair.Texts) likenesses.Add(new Likeness(language, Cosine(medium, vectors[next++].Vector.Span)));
        }
    }

    private Dictionary<string, double> Bounds()
    {
        Measure();
        if (options.Deviations == 0) return [];
        return found.Values.SelectMany(captions => captions).GroupBy(caption => caption.Language, caption => caption.Cosine).Where(language => language.Count() >= options.Fewest)
            .ToDictionary(language => language.Key, language => Bound([.. language]));
    }

    private double Bound(double[] cosines)
    {
        var median = Median(cosines);
        return median - options.Deviations * ToStandardDeviations * Median([.. cosines.Select(cosine => Math.Abs(cosine - median))]);
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var (product, left, right) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++) (product, left, right) = (product + (double)a[i] * b[i], left + (double)a[i] * a[i], right + (double)b[i] * b[i]);
        return left > 0 && right > 0 ? product / Math.Sqrt(left * right) : 0;
    }
}
