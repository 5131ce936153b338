using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PluginHost.Sdk;

namespace Source.Manifest;

/// <summary>Reads rows; a bad one is left out with its file, its line and the reason.</summary>
internal sealed class ManifestReader(string path, ManifestOptions options)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string folder = Path.GetDirectoryName(path)!;

    /// <summary>The samples, each with the id of its row, which decides the split: stretches of one video stay together.</summary>
    public (IReadOnlyList<(string Row, Sample Sample)> Samples, IReadOnlyList<Rejection> Rejected) Read(byte[] manifest, CancellationToken cancellation)
    {
        var (samples, rejected) = (new List<(string, Sample)>(), new List<Rejection>());
        var seen = new Dictionary<string, int>();
        var line = 0;
        foreach (var range in manifest.AsSpan().Split((byte)'\n'))
        {
            cancellation.ThrowIfCancellationRequested();
            line++;
            var bytes = manifest.AsSpan(range);
            if (line == 1 && bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[3..];
            if (bytes.Trim(" \t\r"u8).IsEmpty) continue;
            try
            {
                var (id, found) = Row(bytes, rejected.Add);
                if (!seen.TryAdd(id, line))
                    throw new BadSampleException($"duplicate id '{id}' (first on line {seen[id]}); give each row an 'id' of its own");
                samples.AddRange(found.Select(sample => (id, sample)));
            }
            catch (BadSampleException error)
            {
                rejected.Add(new Rejection($"{path}({line})", error.Message));
            }
        }
        return (samples, rejected);
    }

    private (string Id, IReadOnlyList<Sample> Samples) Row(ReadOnlySpan<byte> bytes, Action<Rejection> reject)
    {
        try
        {
            using var json = JsonDocument.Parse(Strict.GetString(bytes));
            if (json.RootElement.ValueKind != JsonValueKind.Object) throw new BadSampleException("the row is no JSON object");
            return Samples(new RowReader(json.RootElement, folder, options), reject);
        }
        catch (DecoderFallbackException)
        {
            throw new BadSampleException("the row is not valid UTF-8");
        }
        catch (JsonException error)
        {
            throw new BadSampleException($"the row is no JSON: {error.Message}");
        }
    }

    private (string Id, IReadOnlyList<Sample> Samples) Samples(RowReader row, Action<Rejection> reject)
    {
        var texts = row.Texts();
        var (image, audio, video) = (row.File("image_path"), row.File("audio_path"), row.File("video_path"));
        if (texts.Count == 0 && image is null && audio is null && video is null)
            throw new BadSampleException("the row has nothing in it: none of text, image_path, audio_path, video_path");
        var media = RowReader.Media(image, audio, video);
        var turns = row.Turns(media);
        var sample = new Sample(row.Id() ?? DefaultId(row, texts))
        {
            Image = image,
            Audio = audio,
            Video = video,
            Texts = texts,
            Turns = turns ?? [.. texts.Select(text => new Turn("caption." + text.Key, Request(media, text.Key), text.Value, media))],
            ModalityWeights = row.Weights(),
        };
        var cues = Cues(row, video, told: texts.Count > 0 || turns is not null, reject);
        if (cues.Count == 0) return (sample.Id, [sample]);
        var stretches = SubtitledVideo.Samples(sample, cues, language => Request(["video"], language));
        // What the row itself says is about the whole video.
        return (sample.Id, texts.Count > 0 || turns is not null ? [sample, .. stretches] : [.. stretches]);
    }

    /// <summary>The subtitles that the row names; for a video of which nothing else is told, those beside it.</summary>
    private IReadOnlyList<(string Language, Cue Cue)> Cues(RowReader row, MediaFile? video, bool told, Action<Rejection> reject)
    {
        var named = row.Subtitles();
        if (named.Count > 0 && video is null) throw new BadSampleException("'subtitles_path' speaks of a video, and the row has no 'video_path'");
        var files = named.Count > 0 || video is null || told ? named : SubtitledVideo.Beside(video.Path, options.Language);
        return [.. files.SelectMany(file => Subtitles.Read(file.Value, Content(file.Value), reject).Select(cue => (file.Key, Checked(file.Value, cue, reject))).Where(item => item.Item2 is not null).Select(item => (item.Key, item.Item2!)))];
    }

    private Cue? Checked(string file, Cue cue, Action<Rejection> reject)
    {
        if (cue.Text.Length <= options.LongestText) return cue;
        reject(new Rejection(string.Create(CultureInfo.InvariantCulture, $"{file}#{cue.Start:0.###}"), $"the subtitle has {cue.Text.Length:N0} characters, more than the {options.LongestText:N0} of 'longestText'"));
        return null;
    }

    private static byte[] Content(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadSampleException($"{file}: cannot be read: {error.Message}");
        }
    }

    /// <summary>A row's first medium as the manifest names it, else a hash of its text: stable when rows move.</summary>
    private static string DefaultId(RowReader row, IReadOnlyDictionary<string, string> texts) =>
        row.String("image_path") ?? row.String("audio_path") ?? row.String("video_path")
        ?? "text-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', texts.OrderBy(text => text.Key, StringComparer.Ordinal)))))[..16];

    private static string Request(IReadOnlyList<string> media, string language) => (media, language) switch
    {
        ([], _) => "", // pure text: to be learnt as it stands
        ([.., "audio"], "zh") when media.Count == 1 => "你听到什么？",
        ([.., "audio"], _) when media.Count == 1 => "what do you hear?",
        (["video", ..], "zh") => "描述视频。",
        (["video", ..], _) => "describe the video.",
        (_, "zh") => "描述图片。",
        _ => "describe the picture.",
    };
}
