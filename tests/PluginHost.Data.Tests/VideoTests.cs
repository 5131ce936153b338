using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class VideoTests
{
    private static readonly DataConfig Config = Make.Config with { VideoSize = 8, VideoFrames = 4, VideoRate = 2 };

    private static Clip Clip(params double[] times) => new(8, 8, [.. times.Select((_, frame) => Make.Picture((byte)(51 * (frame + 1)), 0, 0).Rgb)], times);

    private static Sample Sample(string id, MediaContent video) =>
        new(id) { Video = video, Texts = new Dictionary<string, string> { ["en"] = "cat" }, Turns = [new Turn("q", "p", "a", "video")] };

    private static Dataset Data(IReadOnlyList<string> modalities, IMediaDecoder? decoder, params IReadOnlyList<Sample?> samples) =>
        new(Config, new ListSource(samples), decoder is null ? [] : [new MediaPlugin("media.fake", ["*"], decoder)], new RejectionLog(), TorchSharp.torch.CPU)
        {
            Modalities = modalities,
            Tokenizer = new ByteTokenizer(),
        };

    /// <summary>Remembers the forms that it is asked for.</summary>
    private sealed class Recorder(Func<string, MediaContent> decode) : IMediaDecoder
    {
        public List<(string Modality, MediaFormat Format)> Asked { get; } = [];

        public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation)
        {
            Asked.Add((modality, format));
            return decode(modality);
        }
    }

    [Fact]
    public void Frames_StandWhereTheirTimesSay_AndTheRestIsAbsent()
    {
        using var data = Data(["video"], null);
        using var batch = data.CollateTurns([Sample("1", Clip(0, 1, 1.5, 9)), new Sample("none")], [], 1, 0);

        var video = batch.Video!;
        Assert.Equal([2L, 4L, 3L, 8L, 8L], video.Data.shape);
        Assert.Equal([true, false, true, true, false, false, false, false], video.Mask.data<bool>().ToArray());
        Assert.Equal([0.2f, 0f, 0.4f, 0.6f], Enumerable.Range(0, 4).Select(frame => video.Data[0, frame, 0, 3, 3].item<float>()));
        Assert.Equal(0, video.Data[1].abs().sum().item<float>());
    }

    [Fact]
    public void Text_HasAPlaceForTheVideo_WhereTheGraphReadsIt()
    {
        using var data = Data(["video"], null);
        Assert.Contains(6, data.EncodePrompt(Sample("1", Clip(0)), "p"));
        Assert.DoesNotContain(6, data.EncodePrompt(new Sample("2"), "p"));
    }

    [Fact]
    public void TextThatBelievesInVideos_IsCaught()
    {
        using var data = new Dataset(Config, new ListSource(), [], new RejectionLog(), TorchSharp.torch.CPU) { Modalities = ["video"], Tokenizer = new ByteTokenizer { BelievesText = true } };
        var error = Assert.Throws<InvalidOperationException>(() => data.EncodePrompt(Sample("sly", Clip(0)), SpecialTokens.Image));
        Assert.Contains("'sly' has 0 pictures, but its text holds 1 '<image>'", error.Message);
    }

    [Fact]
    public void BlankVideo_IsZerosUnderAnEmptyMask()
    {
        using var data = Data(["video"], null);
        using var batch = data.CollateTurns([Sample("1", Clip(0, 0.5))], [], 1, 0);
        using var blank = batch.Blank("video");
        Assert.Equal(0, blank.Video!.Data.abs().sum().item<float>());
        Assert.False(blank.Video.Mask.any().item<bool>());
        Assert.Equal(2, batch.Video!.Mask.sum().item<long>());
    }

    [Fact]
    public void VideosInMemory_StandInForNothing()
    {
        using var data = Data(["image", "audio"], null, Sample("1", Clip(0)));
        Assert.Empty(data.Load("train", 0, ["image"]));
        var sample = Assert.Single(data.Load("train", 0, []));
        Assert.Null(sample.Image);
        Assert.Null(sample.Audio);
    }

    [Fact]
    public void TurnsAboutAVideoSeenAsAPicture_NeedThatPicture()
    {
        var decoder = new Recorder(modality => modality == "image" ? Make.Picture() : Make.Sound());
        using var data = Data(["image"], decoder, Sample("1", new MediaFile("/a.mp4")));
        Assert.Equal(["image"], Assert.Single(Assert.Single(data.Load("train", 0, [])).Turns).Needs);
        using var read = Data(["video"], new Recorder(_ => Clip(0)), Sample("1", new MediaFile("/a.mp4")));
        Assert.Equal(["video"], Assert.Single(Assert.Single(read.Load("train", 0, [])).Turns).Needs);
    }

    [Fact]
    public void StretchOfAVideo_IsDecodedFromItsStartToItsEnd_EachByItself()
    {
        var decoder = new Recorder(modality => modality == "video" ? Clip(0, 0.5) : Make.Sound());
        var file = new MediaFile("/a.mp4");
        using var data = Data(["audio", "video"], decoder, Sample("1", new MediaSpan(file, 1, 2.5)), Sample("2", new MediaSpan(file, 3, 4)), Sample("3", new MediaSpan(file, 1, 2.5)));
        Assert.Equal(3, data.Load("train", 0, ["video"]).Count);
        Assert.Equal([("audio", 1, 2.5), ("video", 1, 2.5), ("audio", 3, 4), ("video", 3, 4)], decoder.Asked.Select(asked => (asked.Modality, asked.Format.Start, asked.Format.End)));
        Assert.All(decoder.Asked, asked => Assert.Equal((8, 4, 2), (asked.Format.VideoSize, asked.Format.VideoFrames, asked.Format.VideoRate)));
    }

    [Fact]
    public void VideoOfAnotherSize_DropsItsSample()
    {
        using var data = Data(["video"], new Recorder(_ => new Clip(4, 4, [new byte[48]], [0])), Sample("1", new MediaFile("/a.mp4")));
        Assert.Empty(data.Load("train", 0, []));
        Assert.Equal("the video has 1 frames of 4x4 at 1 times where 8x8 is wanted", Assert.Single(data.Rejections).Reason);
    }

    [Fact]
    public void ShuffledFrames_AreTheSameInAnotherOrder_AlikeEachTime()
    {
        var clip = Clip([.. Enumerable.Range(0, 12).Select(frame => frame / 2.0)]);
        var (one, again, other) = (FrameOrder.Shuffle(Sample("1", clip)), FrameOrder.Shuffle(Sample("1", clip)), FrameOrder.Shuffle(Sample("2", clip)));
        Assert.Equal(Reds(clip).Order(), Reds(one.Video!).Order());
        Assert.NotEqual(Reds(clip), Reds(one.Video!));
        Assert.Equal(Reds(one.Video!), Reds(again.Video!));
        Assert.NotEqual(Reds(one.Video!), Reds(other.Video!));
        Assert.Equal(clip.Times, ((Clip)one.Video!).Times);
        Assert.False(FrameOrder.Matters(Sample("3", Clip(0))));

        static IEnumerable<byte> Reds(MediaContent video) => ((Clip)video).Frames.Select(frame => frame[0]);
    }
}
