using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>A control for videos: a model that answers as well when their frames are in random order has not looked at what happens.</summary>
public static class FrameOrder
{
    /// <summary>Whether a sample shows a video whose frames have an order.</summary>
    public static bool Matters(Sample sample) => sample.Video is Clip { Frames.Count: > 1 };

    /// <summary>The sample with the frames of its video in an order drawn by its id; the times stay where they are.</summary>
    public static Sample Shuffle(Sample sample)
    {
        if (sample.Video is not Clip clip) return sample;
        var random = new KeyedRandom([Domain, .. sample.Id.Select(letter => (long)letter)]);
        byte[][] frames = [.. clip.Frames];
        for (var i = frames.Length - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (frames[i], frames[other]) = (frames[other], frames[i]);
        }
        return sample with { Video = clip with { Frames = frames } };
    }

    // Keeps these numbers apart from those that draw turns.
    private const long Domain = 0x6672616D;
}
