using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>source</c>. Paths in the sample's settings are relative to the plugin's folder.</summary>
public abstract class SourceConformance : PluginConformance
{
    private const int Looked = 20;
    private static readonly MediaFormat Format = new(ImageSize: 24, AudioRate: 4000, AudioSeconds: 0.5) { VideoSize = 24 };

    /// <inheritdoc/>
    public override string Kind => "source";

    /// <inheritdoc/>
    protected override void UseOnce() => WithSource(source => All(source).Take(3).ToList());

    /// <summary>A source has samples, in splits that differ.</summary>
    [Fact]
    public void Open_Sample_HasSamplesInDistinctSplits() => WithSource(source =>
    {
        Assert.NotEmpty(source.Splits);
        Assert.Equal(source.Splits.Count, source.Splits.Distinct().Count());
        Assert.True(source.Splits.Sum(source.Count) > 0, $"{Id} has no samples");
        Assert.Equal(0, source.Count("no such split"));
    });

    /// <summary>The same place always holds the same sample, whoever asks and in whatever order.</summary>
    [Fact]
    public void Read_AgainAndConcurrently_GivesTheSameSample() => WithSource(source =>
    {
        var expected = All(source).Select(TrySamples.Text).ToArray();
        Assert.Equal(expected.Reverse(), All(source).Reverse().Select(TrySamples.Text));
        var results = new string[4][];
        Parallel.For(0, results.Length, i => results[i] = [.. All(source).Select(TrySamples.Text)]);
        Assert.All(results, result => Assert.Equal(expected, result));
    });

    /// <summary>No two samples share an id.</summary>
    [Fact]
    public void Read_Ids_AreUnique() => WithSource(source =>
    {
        var ids = All(source).Select(sample => sample.Id).ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.DoesNotContain("", ids);
    });

    /// <summary>Pictures, sounds and videos in memory have the wanted form; files are absolute paths.</summary>
    [Fact]
    public void Read_Media_HasTheWantedForm() => WithSource(source =>
    {
        foreach (var content in All(source).SelectMany(sample => new[] { sample.Image, sample.Audio, sample.Video }).OfType<MediaContent>())
            switch (content)
            {
                case MediaFile file: Assert.True(Path.IsPathFullyQualified(file.Path), file.Path); break;
                case MediaPart part: Assert.Equal(part.Length, part.Read().Length); break;
                case Picture picture: Assert.Equal(picture.Width * picture.Height * 3, picture.Rgb.Length); break;
                case Sound sound: Assert.InRange(sound.Samples.Length, 1, Format.AudioSamples * (sound.Rate / Format.AudioRate + 1)); break;
                case Clip clip: Assert.All(clip.Frames, frame => Assert.Equal(clip.Width * clip.Height * 3, frame.Length)); Assert.Equal(clip.Frames.Count, clip.Times.Count); break;
                case MediaSpan span: Assert.InRange(span.Start, 0, span.End); Assert.True(span.Content is MediaFile or MediaPart, "a stretch is one of a file"); break;
                default: Assert.Fail($"{content.GetType().Name} is no content that the host knows"); break;
            }
    });

    /// <summary>Opened twice over the same data, it has the same fingerprint.</summary>
    [Fact]
    public void Open_Twice_HasTheSameFingerprint() => WithPlugin(plugin =>
    {
        using var one = plugin.Open(Context());
        using var two = plugin.Open(Context());
        Assert.NotEmpty(one.Fingerprint);
        Assert.Equal(one.Fingerprint, two.Fingerprint);
        Assert.Equal(one.Splits.Select(one.Count), two.Splits.Select(two.Count));
    });

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

    private SourceContext Context(CancellationToken cancellation = default) => new(Surroundings(cancellation), Format, Plugin.Sample.Folder, _ => { });

    private void WithSource(Action<ISource> check) => WithPlugin(plugin =>
    {
        using var source = plugin.Open(Context());
        check(source);
    });

    private void WithPlugin(Action<ISourcePlugin> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check(lease.As<ISourcePlugin>());
        }
    }

    // A sample that cannot be used is left out by the host, too.
    private static IEnumerable<Sample> All(ISource source)
    {
        foreach (var split in source.Splits)
            for (var i = 0; i < Math.Min(Looked, source.Count(split)); i++)
            {
                Sample sample;
                try
                {
                    sample = source.Read(split, i);
                }
                catch (BadSampleException)
                {
                    continue;
                }
                yield return sample;
            }
    }
}
