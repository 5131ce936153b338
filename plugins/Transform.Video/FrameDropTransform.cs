// Leaves out frames with a chance each; those that stay keep their times. One always stays.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Transform.Video;

/// <summary>Settings of <c>transform.frame-drop</c>.</summary>
/// <param name="Rate">The chance with which a frame is left out.</param>
public sealed record FrameDropOptions(
    [property: Range(0.01, 0.9), Description("The chance with which a frame is left out; one always stays.")] double Rate = 0.1);

/// <summary>Dropped frames.</summary>
[Plugin("transform.frame-drop", "Leaves out random frames of videos.")]
public sealed class FrameDropTransform(FrameDropOptions options) : ITransform
{
    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random)
    {
        if (sample.Video is not Clip clip || clip.Frames.Count < 2) return sample;
        var stays = random.Next(clip.Frames.Count);
        int[] kept = [.. Enumerable.Range(0, clip.Frames.Count).Where(frame => random.NextDouble() >= options.Rate || frame == stays)];
        return sample with { Video = clip with { Frames = kept.Select(frame => clip.Frames[frame]).ToArray(), Times = kept.Select(frame => clip.Times[frame]).ToArray() } };
    }
}
