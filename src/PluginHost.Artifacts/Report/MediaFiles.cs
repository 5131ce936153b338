using PluginHost.Config;
using PluginHost.Runs.Evaluation;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Report;

/// <summary>Pictures, sounds and videos of samples as files that anything can open.</summary>
public static class MediaFiles
{
    /// <summary>Writes each example's picture, sound and video, for people to look at and to ask about.</summary>
    /// <returns>The paths of the pictures and videos.</returns>
    public static IReadOnlyList<string> Write(string folder, IEnumerable<Example> examples)
    {
        var pictures = new List<string>();
        foreach (var example in examples)
        {
            var path = Path.Combine(folder, $"{example.Split}-{example.Sample.Id.Split('/')[^1]}");
            if (example.Sample.Image is Picture picture)
            {
                AtomicFile.Write(path + ".png", stream => stream.Write(MediaData.Of(picture).Data.Span));
                pictures.Add(path + ".png");
            }
            if (example.Sample.Video is Clip clip)
            {
                AtomicFile.Write(path + ".apng", stream => stream.Write(AnimatedPng.Write(clip)));
                pictures.Add(path + ".apng");
            }
            if (example.Sample.Audio is Sound sound) AtomicFile.Write(path + ".wav", stream => stream.Write(MediaData.Of(sound).Data.Span));
        }
        return pictures;
    }
}
