using System.Collections.Concurrent;
using PluginHost.Catalog;
using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>A filter of a round, opened when its round begins.</summary>
public sealed record ChosenFilter(string Id, Func<IFilter> Open);

/// <summary>Where a sample is in its source.</summary>
public readonly record struct SamplePlace(string Split, int Index, string Id);

/// <summary>What a filter decided about a sample.</summary>
/// <param name="Round">From 1; 0 is the reading and decoding that comes before all filters.</param>
public sealed record SampleDecision(SamplePlace Place, int Round, string Filter, FilterDecision Decision);

/// <summary>What came of all rounds.</summary>
/// <param name="Kept">In the source's order.</param>
/// <param name="Decisions">By round, filter and place; of round 0 only what was dropped.</param>
public sealed record FilterOutcome(IReadOnlyList<SamplePlace> Kept, IReadOnlyList<SampleDecision> Decisions);

/// <summary>Runs filters in rounds over a whole source: what a round drops, the next does not see.</summary>
/// <param name="source">The source.</param>
/// <param name="media">Decodes media.</param>
/// <param name="progress">Told what is done, and which part of it.</param>
public sealed class FilterRounds(ISource source, MediaDecoding media, Action<string, double> progress, CancellationToken cancellation)
{
    /// <summary>The name under which unreadable samples and media are dropped.</summary>
    public const string Reading = "decode";

    /// <summary>The name under which the rows are counted that a source gave no sample for.</summary>
    public const string Opening = "source";

    /// <summary>All decisions, the same on any number of threads.</summary>
    /// <param name="rounds">Filters, round by round.</param>
    /// <param name="rejections">What the source left out when it was opened.</param>
    public FilterOutcome Run(IReadOnlyList<IReadOnlyList<ChosenFilter>> rounds, IReadOnlyList<Rejection>? rejections = null)
    {
        var decisions = (rejections ?? []).Select(left => new SampleDecision(new SamplePlace("", -1, left.Id), 0, Opening, Bad(left.Reason))).ToList();
        var kept = Readable(decisions);
        for (var round = 1; round <= rounds.Count; round++)
        {
            var dropped = new HashSet<SamplePlace>();
            foreach (var chosen in rounds[round - 1])
            {
                var found = Decide(chosen, round, kept);
                decisions.AddRange(found);
                dropped.UnionWith(found.Where(decision => !decision.Decision.Keep).Select(decision => decision.Place));
            }
            kept = [.. kept.Where(place => !dropped.Contains(place))];
        }
        return new FilterOutcome(kept, decisions);
    }

    private List<SamplePlace> Readable(List<SampleDecision> decisions)
    {
        SamplePlace[] all = [.. source.Splits.SelectMany(split => Enumerable.Range(0, source.Count(split)).Select(index => new SamplePlace(split, index, $"{split}[{index}]")))];
        var reasons = new string?[all.Length];
        var twins = new ConcurrentDictionary<string, int>();
        Each(all, "decoding", i =>
        {
            reasons[i] = Try(() =>
            {
                var sample = source.Read(all[i].Split, all[i].Index);
                all[i] = all[i] with { Id = sample.Id };
                media.Check(sample, cancellation);
            });
        });
        for (var i = 0; i < all.Length; i++)
            if (reasons[i] is null && !twins.TryAdd(all[i].Id, i)) reasons[i] = $"another sample has the id '{all[i].Id}'";
        for (var i = 0; i < all.Length; i++)
            if (reasons[i] is { } reason) decisions.Add(new SampleDecision(all[i], 0, Reading, Bad(reason)));
        return [.. all.Where((_, i) => reasons[i] is null)];
    }

    private SampleDecision[] Decide(ChosenFilter chosen, int round, List<SamplePlace> places)
    {
        using var filter = chosen.Open();
        var reasons = new string?[places.Count];
        for (var i = 0; i < places.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress($"{chosen.Id}: survey", (double)i / places.Count);
            reasons[i] = Try(() =>
            {
                var sample = source.Read(places[i].Split, places[i].Index);
                Guard(chosen.Id, "looking at", sample, () => filter.Survey(sample));
            });
        }
        var decisions = new SampleDecision[places.Count];
        Each(places, $"{chosen.Id}: decisions", i =>
        {
            FilterDecision? decision = null;
            reasons[i] ??= Try(() =>
            {
                var sample = source.Read(places[i].Split, places[i].Index);
                Guard(chosen.Id, "deciding about", sample, () => decision = filter.Decide(sample));
            });
            decisions[i] = new SampleDecision(places[i], round, chosen.Id, decision ?? Bad(reasons[i]!));
        });
        return decisions;
    }

    private void Each(IReadOnlyCollection<SamplePlace> places, string doing, Action<int> act)
    {
        var done = 0;
        progress(doing, 0);
        try
        {
            Parallel.For(0, places.Count, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
            {
                act(i);
                progress(doing, (double)Interlocked.Increment(ref done) / places.Count);
            });
        }
        catch (AggregateException errors)
        {
            // A plugin's failure or a user's mistake is one error, however many threads met it.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(errors.InnerExceptions[0]);
        }
    }

    // A mistake in a filter is told by its name and the sample's, and a full disk by its own.
    private static void Guard(string filter, string doing, Sample sample, Action act)
    {
        try
        {
            act();
        }
        catch (Exception error) when (error is not (IOException or OperationCanceledException))
        {
            throw PluginFailedException.From(error, filter, $"{doing} '{sample.Id}'");
        }
    }

    private static FilterDecision Bad(string reason) => new(false, double.NaN, 0, reason);

    private static string? Try(Action act)
    {
        try
        {
            act();
            return null;
        }
        catch (BadSampleException error)
        {
            return error.Message;
        }
    }
}

/// <summary>Media decoders as filters use them.</summary>
/// <param name="plugins">Decoders in order of preference.</param>
/// <param name="format">The project's form.</param>
/// <param name="limit">Longest time that a decoder may take for one medium; null: 30 s.</param>
/// <param name="rememberedBytes">Bytes of decoded media to remember: a filter that asks for what has been decoded already gets that.</param>
public sealed class MediaDecoding(IReadOnlyList<MediaPlugin> plugins, MediaFormat format, TimeSpan? limit = null, long rememberedBytes = 512L << 20)
{
    private readonly MediaLibrary library = new(plugins, format, rememberedBytes, limit);

    /// <summary>Decodes a medium to a form.</summary>
    /// <exception cref="BadSampleException">It is unusable.</exception>
    public MediaContent Decode(MediaContent content, string modality, MediaFormat wanted, CancellationToken cancellation) =>
        library.Decode(content, modality, wanted, cancellation);

    /// <summary>Decodes all media of a sample as a run would.</summary>
    /// <exception cref="BadSampleException">One is unusable.</exception>
    public void Check(Sample sample, CancellationToken cancellation) => library.Decode(sample, [Modality.Image, Modality.Audio, Modality.Video], cancellation);
}
