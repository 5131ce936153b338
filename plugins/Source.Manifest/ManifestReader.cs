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

    public (IReadOnlyList<Sample> Samples, IReadOnlyList<Rejection> Rejected) Read(byte[] manifest, CancellationToken cancellation)
    {
        var (samples, rejected) = (new List<Sample>(), new List<Rejection>());
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
                var sample = Row(bytes);
                if (!seen.TryAdd(sample.Id, line))
                    throw new BadSampleException($"duplicate id '{sample.Id}' (first on line {seen[sample.Id]}); give each row an 'id' of its own");
                samples.Add(sample);
            }
            catch (BadSampleException error)
            {
                rejected.Add(new Rejection($"{path}({line})", error.Message));
            }
        }
        return (samples, rejected);
    }

    private Sample Row(ReadOnlySpan<byte> bytes)
    {
        try
        {
            using var json = JsonDocument.Parse(Strict.GetString(bytes));
            if (json.RootElement.ValueKind != JsonValueKind.Object) throw new BadSampleException("the row is no JSON object");
            return Sample(new RowReader(json.RootElement, folder, options));
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

    private static Sample Sample(RowReader row)
    {
        var texts = row.Texts();
        var (image, audio, video) = (row.File("image_path"), row.File("audio_path"), row.File("video_path"));
        if (texts.Count == 0 && image is null && audio is null && video is null)
            throw new BadSampleException("the row has nothing in it: none of text, image_path, audio_path, video_path");
        var media = RowReader.Media(image, audio, video);
        return new Sample(row.Id() ?? DefaultId(row, texts))
        {
            Image = image,
            Audio = audio,
            Video = video,
            Texts = texts,
            Turns = row.Turns(media) ?? [.. texts.Select(text => new Turn("caption." + text.Key, Request(media, text.Key), text.Value, media))],
            ModalityWeights = row.Weights(),
        };
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
        (_, "zh") => "描述图片。",
        _ => "describe the picture.",
    };
}
