using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>filter</c>. Paths in the sample's settings are relative to the plugin's folder.</summary>
public abstract class FilterConformance : PluginConformance
{
    /// <inheritdoc/>
    public override string Kind => "filter";

    /// <summary>Samples that are surveyed and decided about, in order; their media may be files only if <see cref="Decode"/> decodes them.</summary>
    protected virtual IReadOnlyList<Sample> Samples => TrySamples.Ordinary;

    /// <summary>What the filter is given to decode with: content in memory comes back as it is.</summary>
    protected virtual MediaContent Decode(MediaContent content, string modality, MediaFormat format) =>
        content is MediaFile file ? throw new BadSampleException($"{file.Path}: no file is decoded here") : content;

    /// <inheritdoc/>
    protected override void UseOnce() => WithPlugin(plugin => Decisions(plugin, Samples));

    /// <summary>A decision says what was measured, against what, and why; a score is a number or, where there was nothing to measure, none.</summary>
    [Fact]
    public void Decide_Samples_NamesScoreThresholdAndReason() => WithPlugin(plugin =>
    {
        using var filter = plugin.Open(Context());
        Survey(filter, Samples);
        foreach (var decision in Samples.Select(filter.Decide))
        {
            Assert.False(string.IsNullOrWhiteSpace(decision.Reason), "a decision has no reason");
            Assert.False(double.IsInfinity(decision.Score), $"the score of '{decision.Reason}' is {decision.Score}");
            Assert.True(double.IsFinite(decision.Threshold), $"the threshold of '{decision.Reason}' is {decision.Threshold}");
            Assert.All(decision.Similar, id => Assert.Contains(id, Samples.Select(sample => sample.Id)));
        }
    });

    /// <summary>After the survey, decisions depend neither on their order nor on other threads.</summary>
    [Fact]
    public void Decide_InAnyOrderAndConcurrently_GivesTheSame() => WithPlugin(plugin =>
    {
        using var filter = plugin.Open(Context());
        Survey(filter, Samples);
        var expected = Samples.Select(sample => Outcome(filter, sample)).ToArray();
        Assert.Equal(expected.Reverse(), Samples.Reverse().Select(sample => Outcome(filter, sample)));
        var results = new string[4][];
        Parallel.For(0, results.Length, i => results[i] = [.. Samples.Select(sample => Outcome(filter, sample))]);
        Assert.All(results, result => Assert.Equal(expected, result));
    });

    /// <summary>Opened twice, it decides alike.</summary>
    [Fact]
    public void Open_Twice_DecidesAlike() => WithPlugin(plugin => Assert.Equal(Decisions(plugin, Samples), Decisions(plugin, Samples)));

    /// <summary>Nothing of a sample changes.</summary>
    [Fact]
    public void Decide_Samples_LeavesThemAsTheyAre() => WithPlugin(plugin =>
    {
        var before = Samples.Select(TrySamples.Text).ToArray();
        Decisions(plugin, Samples);
        Assert.Equal(before, Samples.Select(TrySamples.Text));
    });

    /// <summary>Samples without text or media, and odd ones, are decided about or named bad; never another error.</summary>
    [Fact]
    public void Decide_OddSamples_DecidesOrNamesThemBad() => WithPlugin(plugin =>
        Assert.All(Decisions(plugin, TrySamples.Odd), outcome => Assert.False(string.IsNullOrWhiteSpace(outcome))));

    /// <summary>Without any sample there is nothing to decide, and no error.</summary>
    [Fact]
    public void Open_NoSamples_Closes() => WithPlugin(plugin => Assert.Empty(Decisions(plugin, [])));

    /// <summary>An opening that is cancelled stops as cancelled, or is done already.</summary>
    [Fact]
    public void Open_Cancelled_StopsOrIsDone() => WithPlugin(plugin =>
    {
        try
        {
            plugin.Open(Context(new CancellationToken(canceled: true))).Dispose();
        }
        catch (OperationCanceledException)
        {
            return;
        }
    });

    private FilterContext Context(CancellationToken cancellation = default) => new(Surroundings(cancellation), Plugin.Sample.Folder, Decode);

    private string[] Decisions(IFilterPlugin plugin, IReadOnlyList<Sample> samples)
    {
        using var filter = plugin.Open(Context());
        var kept = Survey(filter, samples);
        return [.. kept.Select(sample => Outcome(filter, sample))];
    }

    // As the host does: what the survey finds bad is not decided about.
    private static List<Sample> Survey(IFilter filter, IReadOnlyList<Sample> samples)
    {
        var good = new List<Sample>();
        foreach (var sample in samples)
        {
            try
            {
                filter.Survey(sample);
                good.Add(sample);
            }
            catch (BadSampleException error)
            {
                Assert.NotEmpty(error.Message);
            }
        }
        return good;
    }

    private static string Outcome(IFilter filter, Sample sample)
    {
        try
        {
            var decision = filter.Decide(sample);
            return $"{sample.Id} {decision.Keep} {decision.Score:R} {decision.Threshold:R} {decision.Reason} {string.Join(',', decision.Similar)}";
        }
        catch (BadSampleException error)
        {
            return $"{sample.Id} bad: {error.Message}";
        }
    }

    private void WithPlugin(Action<IFilterPlugin> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check(lease.As<IFilterPlugin>());
        }
    }
}
