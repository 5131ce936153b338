// Keeps a stretch of a video, of a length drawn evenly from smallest to the whole; its first frame is at time 0.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Video;

/// <summary>Settings of <c>transform.temporal-crop</c>.</summary>
/// <param name="Smallest">Smallest part of the frames that is kept.</param>
public sealed record TemporalCropOptions(
    [property: Range(0.05, 1.0), Description("Smallest part of the frames that is kept. What happened before or after is gone: keep much where questions are asked about an order of events.")] double Smallest = 0.7);

/// <summary>Crop in time.</summary>
[Plugin("transform.temporal-crop", "Keeps a random stretch of videos.")]
public sealed class TemporalCropTransform(TemporalCropOptions options) : ITransform
{
    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Video is not Clip clip || clip.Frames.Count < 2) return sample;
        var count = Math.Max(1, (int)Math.Round((options.Smallest + (1 - options.Smallest) * random.NextDouble()) * clip.Frames.Count));
        var first = random.Next(clip.Frames.Count - count + 1);
        return sample with
        {
            Video = clip with
            {
                Frames = clip.Frames.Skip(first).Take(count).ToArray(),
                Times = clip.Times.Skip(first).Take(count).Select(time => time - clip.Times[first]).ToArray(),
            },
        };
    }
}
