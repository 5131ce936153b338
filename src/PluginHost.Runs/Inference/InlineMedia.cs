using Microsoft.Extensions.AI;
using PluginHost.Data;
using PluginHost.Sdk;

namespace PluginHost.Runs.Inference;

/// <summary>Media that come as bytes instead of files, decoded as a run decodes its own.</summary>
/// <param name="decoders">The run's decoders, in order of preference.</param>
/// <param name="format">The form that its graph reads.</param>
public sealed class InlineMedia(IReadOnlyList<MediaPlugin> decoders, MediaFormat format)
{
    // Nothing is remembered by the name of a file that lives as long as a request.
    private readonly MediaDecoding decoding = new(decoders, format, rememberedBytes: 0);

    /// <summary>The modality of a content by its media type; null: none that there is.</summary>
    public static string? ModalityOf(DataContent content) =>
        ((string[])["image", "audio", "video"]).FirstOrDefault(content.HasTopLevelMediaType);

    /// <summary>Decodes a content. What is in memory in the form of the training already stays that.</summary>
    /// <exception cref="BadSampleException">It is unusable; the message speaks of its media type.</exception>
    public MediaContent Decode(DataContent content, string modality, CancellationToken cancellation)
    {
        if (content.RawRepresentation is Picture picture && picture.Width == format.ImageSize && picture.Height == format.ImageSize) return picture;
        if (content.RawRepresentation is Sound sound && sound.Rate == format.AudioRate) return sound;
        // Decoders take files: the bytes are one for as long as it takes.
        var file = Path.Combine(Path.GetTempPath(), $"pluginhost-{Guid.NewGuid():N}.{ExtensionOf(content.MediaType)}");
        try
        {
            File.WriteAllBytes(file, content.Data.Span);
            return decoding.Decode(new MediaFile(file), modality, format, cancellation);
        }
        catch (BadSampleException error)
        {
            throw new BadSampleException(error.Message.Replace(file, content.MediaType, StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }

    // image/jpeg -> jpeg, audio/x-wav -> wav
    private static string ExtensionOf(string mediaType)
    {
        var subtype = mediaType[(mediaType.IndexOf('/', StringComparison.Ordinal) + 1)..];
        var name = new string([.. (subtype.StartsWith("x-", StringComparison.Ordinal) ? subtype[2..] : subtype).TakeWhile(char.IsAsciiLetterOrDigit)]);
        return name == "mpeg" ? "mp3" : name;
    }
}
