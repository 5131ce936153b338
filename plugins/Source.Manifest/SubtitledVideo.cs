using System.Globalization;
using PluginHost.Sdk;

namespace Source.Manifest;

/// <summary>A video with subtitles as samples: a stretch of the video for each subtitle, with what is said meanwhile in each language.</summary>
internal static class SubtitledVideo
{
    private static readonly string[] Extensions = [".srt", ".vtt"];

    /// <summary>Subtitle files beside a video, by language: <c>clip.srt</c> (of the language for plain strings), <c>clip.zh.vtt</c>.</summary>
    /// <param name="video">The video's path.</param>
    /// <param name="language">The language of a file that names none.</param>
    public static IReadOnlyDictionary<string, string> Beside(string video, string language)
    {
        var (folder, name) = (Path.GetDirectoryName(video)!, Path.GetFileNameWithoutExtension(video));
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder).Where(file => Extensions.Contains(Path.GetExtension(file).ToLowerInvariant())).Order(StringComparer.Ordinal))
        {
            var stem = Path.GetFileNameWithoutExtension(file);
            if (stem == name) found.TryAdd(language, file);
            else if (stem.StartsWith(name + ".", StringComparison.Ordinal) && stem[(name.Length + 1)..] is { Length: 2 or 3 } code && code.All(char.IsAsciiLetterLower)) found.TryAdd(code, file);
        }
        return found;
    }

    /// <summary>The samples, in the order of their times; subtitles with the same times are one sample in several languages.</summary>
    /// <param name="whole">The whole video as a sample; what it says and asks is left behind.</param>
    /// <param name="cues">Subtitles by language.</param>
    /// <param name="request">What asks for a caption in a language.</param>
    public static IEnumerable<Sample> Samples(Sample whole, IEnumerable<(string Language, Cue Cue)> cues, Func<string, string> request) =>
        from same in cues.GroupBy(item => (item.Cue.Start, item.Cue.End))
        orderby same.Key
        let texts = same.GroupBy(item => item.Language).ToDictionary(language => language.Key, language => string.Join(' ', language.Select(item => item.Cue.Text)))
        select whole with
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"{whole.Id}#{same.Key.Start:0.###}-{same.Key.End:0.###}"),
            Video = new MediaSpan(whole.Video!, same.Key.Start, same.Key.End),
            Texts = texts,
            Turns = [.. texts.Select(text => new Turn("caption." + text.Key, request(text.Key), text.Value, "video"))],
        };
}
