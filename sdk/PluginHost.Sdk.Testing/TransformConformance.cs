using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>transform</c>.</summary>
public abstract class TransformConformance : PluginConformance
{
    private const int Seeds = 20;

    /// <inheritdoc/>
    public override string Kind => "transform";

    /// <summary>Samples that are transformed, with their media decoded.</summary>
    protected virtual IReadOnlyList<Sample> Samples => TrySamples.Ordinary;

    /// <inheritdoc/>
    protected override void UseOnce() => WithTransform(transform => Applied(transform, Samples, seed: 1));

    /// <summary>The same seed gives the same, other seeds something else; at least one of them a change.</summary>
    [Fact]
    public void Apply_SameSeed_GivesTheSame() => WithTransform(transform =>
    {
        for (var seed = 0; seed < Seeds; seed++) Assert.Equal(Applied(transform, Samples, seed), Applied(transform, Samples, seed));
        var untouched = Samples.Select(TrySamples.Text).ToArray();
        Assert.True(Enumerable.Range(0, Seeds).Any(seed => !untouched.SequenceEqual(Applied(transform, Samples, seed))), $"{Id} changes nothing in {Seeds} tries");
    });

    /// <summary>The sample that it is given stays as it is, its arrays too.</summary>
    [Fact]
    public void Apply_Samples_LeavesThemAsTheyAre() => WithTransform(transform =>
    {
        var before = Samples.Select(TrySamples.Text).ToArray();
        for (var seed = 0; seed < Seeds; seed++) Applied(transform, Samples, seed);
        Assert.Equal(before, Samples.Select(TrySamples.Text));
    });

    /// <summary>Ids stay, pictures keep their size and sounds their rate, and values stay in their range; odd samples included.</summary>
    [Fact]
    public void Apply_AnySample_KeepsItsForm() => WithTransform(transform =>
    {
        foreach (var sample in Samples.Concat(TrySamples.Odd))
            for (var seed = 0; seed < Seeds; seed++)
            {
                var changed = transform.Apply(sample, new Random(seed));
                Assert.Equal(sample.Id, changed.Id);
                Assert.Equal(sample.Image is null, changed.Image is null);
                Assert.Equal(sample.Audio is null, changed.Audio is null);
                Assert.Equal(sample.Video is null, changed.Video is null);
                if (sample.Video is Clip clip) Check(clip, Assert.IsType<Clip>(changed.Video));
                if (sample.Image is Picture before) Check(before, Assert.IsType<Picture>(changed.Image));
                if (sample.Audio is Sound sound) Check(sound, Assert.IsType<Sound>(changed.Audio));
            }
    });

    /// <summary>Each sample and seed gives the same, on any number of threads and in any order.</summary>
    [Fact]
    public void Apply_Concurrently_GivesTheSame() => WithTransform(transform =>
    {
        (Sample Sample, int Seed)[] calls = [.. Samples.SelectMany(sample => Enumerable.Range(0, 4).Select(seed => (sample, seed)))];
        string Apply(int call) => TrySamples.Text(transform.Apply(calls[call].Sample, new Random(calls[call].Seed)));
        string[] expected = [.. Enumerable.Range(0, calls.Length).Select(Apply)];
        foreach (var threads in new[] { 2, 4, 8 })
        {
            var results = new string[calls.Length];
            var order = Enumerable.Range(0, calls.Length).ToArray();
            new Random(threads).Shuffle(order);
            Parallel.ForEach(order, new ParallelOptions { MaxDegreeOfParallelism = threads }, call => results[call] = Apply(call));
            Assert.Equal(expected, results);
        }
    });

    private static void Check(Picture before, Picture after)
    {
        Assert.Equal((before.Width, before.Height), (after.Width, after.Height));
        Assert.Equal(before.Rgb.Length, after.Rgb.Length);
    }

    private static void Check(Clip before, Clip after)
    {
        Assert.Equal((before.Width, before.Height), (after.Width, after.Height));
        Assert.NotEmpty(after.Frames);
        Assert.Equal(after.Frames.Count, after.Times.Count);
        Assert.All(after.Frames, frame => Assert.Equal(before.Frames[0].Length, frame.Length));
        Assert.Equal(after.Times.Order(), after.Times);
    }

    private static void Check(Sound before, Sound after)
    {
        Assert.Equal(before.Rate, after.Rate);
        Assert.NotEmpty(after.Samples);
        Assert.All(after.Samples, value => Assert.InRange(value, -1, 1));
    }

    private static string[] Applied(ITransform transform, IReadOnlyList<Sample> samples, int seed) =>
        [.. samples.Select(sample => TrySamples.Text(transform.Apply(sample, new Random(seed))))];

    private void WithTransform(Action<ITransform> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check(lease.As<ITransform>());
        }
    }
}
