using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>media</c>. The sample's <c>files</c> are what it decodes.</summary>
public abstract class MediaConformance : PluginConformance
{
    private static readonly MediaFormat Format = new(ImageSize: 24, AudioRate: 4000, AudioSeconds: 0.5) { VideoSize = 16, VideoFrames = 6, VideoRate = 8 };

    /// <inheritdoc/>
    public override string Kind => "media";

    /// <summary>What is wanted of the files: <c>image</c>, <c>audio</c> or <c>video</c>.</summary>
    protected virtual string Modality => "image";

    /// <summary>Those of the sample's files that hold it; all of them unless a plugin decodes several modalities.</summary>
    protected virtual IEnumerable<string> Files => Plugin.Sample.Files;

    private string FirstFile => Files.First();

    /// <inheritdoc/>
    protected override void UseOnce() => WithDecoder(decoder =>
    {
        foreach (var file in Files) decoder.Decode(file, Modality, Format, default);
    });

    /// <summary>The sample names files, and the plugin says which extensions it takes.</summary>
    [Fact]
    public void Sample_Files_AreThereAndAccepted()
    {
        Assert.NotEmpty(Plugin.Sample.Files);
        Assert.NotEmpty(Plugin.Description.Accepts);
        Assert.All(Plugin.Sample.Files, file => Assert.True(File.Exists(file), $"{file} is not there"));
        if (Plugin.Description.Accepts.Contains("*")) return;
        Assert.All(Plugin.Sample.Files, file => Assert.Contains(Path.GetExtension(file), Plugin.Description.Accepts));
    }

    /// <summary>What comes out has the wanted form, and the same file gives the same.</summary>
    [Fact]
    public void Decode_Sample_HasTheWantedFormTwice() => WithDecoder(decoder =>
    {
        foreach (var file in Files)
        {
            var content = decoder.Decode(file, Modality, Format, default);
            CheckForm(content);
            Assert.Equal(Bytes(content), Bytes(decoder.Decode(file, Modality, Format, default)));
        }
    });

    /// <summary>Calls from several threads do not disturb each other.</summary>
    [Fact]
    public void Decode_Concurrently_GivesTheSame() => WithDecoder(decoder =>
    {
        var file = FirstFile;
        var expected = Bytes(decoder.Decode(file, Modality, Format, default));
        var results = new byte[8][];
        Parallel.For(0, results.Length, i => results[i] = Bytes(decoder.Decode(file, Modality, Format, default)));
        Assert.All(results, result => Assert.Equal(expected, result));
    });

    /// <summary>A file that is missing, empty, cut short or garbage is a bad sample, or still decodes to the wanted form; never another error.</summary>
    [Fact]
    public void Decode_DamagedFile_IsABadSample() => WithDecoder(decoder =>
    {
        var folder = Directory.CreateTempSubdirectory("pluginhost-media-").FullName;
        try
        {
            var good = File.ReadAllBytes(FirstFile);
            string Write(string name, byte[] content)
            {
                var path = Path.Combine(folder, name + Path.GetExtension(FirstFile));
                File.WriteAllBytes(path, content);
                return path;
            }
            Assert.Throws<BadSampleException>(() => decoder.Decode(Path.Combine(folder, "missing"), Modality, Format, default));
            Assert.Throws<BadSampleException>(() => decoder.Decode(Write("empty", []), Modality, Format, default));
            Assert.Throws<BadSampleException>(() => decoder.Decode(Write("garbage", [.. Enumerable.Range(0, 500).Select(i => (byte)(i * 7))]), Modality, Format, default));
            foreach (var part in new[] { 4, 8, 16 })
                Damaged(() => decoder.Decode(Write($"cut{part}", good[..(good.Length * part / 17)]), Modality, Format, default));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    });

    /// <summary>Asked for what such a file does not hold, it says so.</summary>
    [Fact]
    public void Decode_UnknownModality_IsABadSample() => WithDecoder(decoder =>
        Assert.Throws<BadSampleException>(() => decoder.Decode(FirstFile, "smell", Format, default)));

    /// <summary>A cancelled call ends as cancelled.</summary>
    [Fact]
    public void Decode_Cancelled_Stops() => WithDecoder(decoder =>
        Assert.ThrowsAny<OperationCanceledException>(() => decoder.Decode(FirstFile, Modality, Format, new CancellationToken(canceled: true))));

    private void WithDecoder(Action<IMediaDecoder> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check(lease.As<IMediaDecoder>());
        }
    }

    private void Damaged(Func<MediaContent> decode)
    {
        try
        {
            CheckForm(decode());
        }
        catch (BadSampleException error)
        {
            Assert.NotEmpty(error.Message);
        }
    }

    private void CheckForm(MediaContent content)
    {
        switch (content)
        {
            case Picture picture:
                Assert.Equal("image", Modality);
                Assert.Equal((Format.ImageSize, Format.ImageSize, Format.ImageSize * Format.ImageSize * 3), (picture.Width, picture.Height, picture.Rgb.Length));
                break;
            case Sound sound:
                Assert.Equal("audio", Modality);
                Assert.Equal(Format.AudioRate, sound.Rate);
                Assert.InRange(sound.Samples.Length, 1, Format.AudioSamples);
                Assert.All(sound.Samples, sample => Assert.InRange(sample, -1, 1));
                break;
            case Clip clip:
                Assert.Equal("video", Modality);
                Assert.Equal((Format.VideoSize, Format.VideoSize), (clip.Width, clip.Height));
                Assert.InRange(clip.Frames.Count, 1, Format.VideoFrames);
                Assert.All(clip.Frames, frame => Assert.Equal(3 * Format.VideoSize * Format.VideoSize, frame.Length));
                Assert.Equal(clip.Frames.Select((_, frame) => frame / Format.VideoRate), clip.Times);
                break;
            default:
                Assert.Fail($"{content.GetType().Name} is neither a Picture nor a Sound nor a Clip");
                break;
        }
    }

    private static byte[] Bytes(MediaContent content) => content switch
    {
        Picture picture => picture.Rgb,
        Sound sound => [.. sound.Samples.SelectMany(BitConverter.GetBytes)],
        Clip clip => [.. clip.Frames.SelectMany(frame => frame)],
        _ => [],
    };
}
