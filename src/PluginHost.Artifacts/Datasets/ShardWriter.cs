using System.Formats.Tar;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Artifacts.Report;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Datasets;

/// <summary>
/// Samples as entries of a tar file in WebDataset layout: <c>000123.json</c> with everything said about the sample, then its media with the bytes
/// of their files (<c>000123.png</c>); content in memory becomes PNG, animated PNG or 16-bit WAV. Of a stretch of a medium, the whole medium is there, and <c>spans</c> says which. Entries have no time and no owner: the same samples give the same bytes.
/// </summary>
internal sealed class ShardWriter(Stream stream) : IDisposable
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly TarWriter writer = new(stream, TarEntryFormat.Ustar, leaveOpen: true);

    /// <summary>Writes a sample.</summary>
    /// <exception cref="BadSampleException">A medium cannot be read.</exception>
    public void Write(long number, string split, Sample sample)
    {
        var key = number.ToString("D6", System.Globalization.CultureInfo.InvariantCulture);
        var media = Media(sample);
        var record = Record(sample, split);
        foreach (var (modality, extension, _) in media) record[modality] = extension;
        Entry($"{key}.json", JsonSerializer.SerializeToUtf8Bytes(record, Plain));
        foreach (var (_, extension, bytes) in media) Entry($"{key}.{extension}", bytes);
    }

    public void Dispose() => writer.Dispose();

    /// <summary>The media with an extension each (<c>png</c>; <c>audio.mp4</c> where another medium has that extension) and their bytes.</summary>
    public static IReadOnlyList<(string Modality, string Extension, byte[] Bytes)> Media(Sample sample)
    {
        var media = new List<(string, string Extension, byte[])>();
        foreach (var (modality, content) in new[] { ("image", sample.Image), ("audio", sample.Audio), ("video", sample.Video) })
        {
            if (content is null) continue;
            var (extension, bytes) = Stored(modality, content);
            if (extension is "" or "json") extension = $"{modality}.{extension}";
            media.Add((modality, media.Any(item => item.Extension == extension) ? $"{modality}.{extension}" : extension, bytes));
        }
        return media;
    }

    /// <summary>All of a sample but its media.</summary>
    public static JsonObject Record(Sample sample, string split)
    {
        var record = Texts(sample, split);
        var spans = new[] { ("image", sample.Image), ("audio", sample.Audio), ("video", sample.Video) }.Where(medium => medium.Item2 is MediaSpan)
            .Select(medium => KeyValuePair.Create(medium.Item1, (JsonNode?)new JsonArray(((MediaSpan)medium.Item2!).Start, ((MediaSpan)medium.Item2!).End))).ToList();
        if (spans.Count > 0) record["spans"] = new JsonObject(spans);
        return record;
    }

    private static JsonObject Texts(Sample sample, string split) => new()
    {
        ["id"] = sample.Id,
        ["split"] = split,
        ["texts"] = new JsonObject(sample.Texts.OrderBy(text => text.Key, StringComparer.Ordinal).Select(text => KeyValuePair.Create(text.Key, (JsonNode?)text.Value))),
        ["turns"] = new JsonArray([.. sample.Turns.Select(Turned)]),
        ["weights"] = new JsonObject(sample.ModalityWeights.OrderBy(weight => weight.Key, StringComparer.Ordinal).Select(weight => KeyValuePair.Create(weight.Key, (JsonNode?)weight.Value))),
    };

    private static JsonObject Turned(Turn turn)
    {
        var record = new JsonObject
        {
            ["task"] = turn.Task,
            ["prompt"] = turn.Prompt,
            ["answer"] = turn.Answer,
            ["needs"] = new JsonArray([.. turn.Needs.Select(need => (JsonNode)need)]),
            ["alsoRight"] = new JsonArray([.. turn.AlsoRight.Select(answer => (JsonNode)answer)]),
        };
        if (turn.Tools.Count > 0) record["tools"] = new JsonArray([.. turn.Tools.Select(Offered)]);
        return record;
    }

    private static JsonObject Offered(AITool tool) => new()
    {
        ["name"] = tool.Name,
        ["description"] = tool.Description,
        ["parameters"] = tool is AIFunctionDeclaration declared ? JsonNode.Parse(declared.JsonSchema.GetRawText()) : new JsonObject(),
    };

    private static (string Extension, byte[] Bytes) Stored(string modality, MediaContent content) => content switch
    {
        Picture picture => ("png", MediaData.Of(picture).Data.ToArray()),
        Sound sound => ("wav", MediaData.Of(sound).Data.ToArray()),
        Clip clip => ("apng", AnimatedPng.Write(clip)),
        MediaPart part => (part.Extension.TrimStart('.'), part.Read()),
        MediaFile file => (Path.GetExtension(file.Path).TrimStart('.').ToLowerInvariant(), Bytes(file.Path)),
        MediaSpan span => Stored(modality, span.Content),
        _ => throw new BadSampleException($"{modality} is a {content.GetType().Name}, which cannot be stored"),
    };

    private static byte[] Bytes(string path)
    {
        try
        {
            // Who reads from a named pipe waits for ever; it has no length, as an empty file has none.
            return new FileInfo(path).Length > 0 ? File.ReadAllBytes(path) : throw new BadSampleException($"{path}: the file is empty");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadSampleException($"{path}: cannot be read: {error.Message}");
        }
    }

    private void Entry(string name, byte[] bytes) => writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
    {
        DataStream = new MemoryStream(bytes, writable: false),
        ModificationTime = DateTimeOffset.UnixEpoch,
        Mode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
    });
}
