using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;

namespace PluginHost.Runs.Chat;

/// <summary>The media that messages show, taken out of them: in their places stand contents that name a modality of the sample.</summary>
internal sealed class ShownMedia
{
    private readonly Dictionary<string, DataContent> contents = [];

    private ShownMedia(IReadOnlyList<ChatMessage> messages) => Messages = messages;

    /// <summary>The messages with their places.</summary>
    public IReadOnlyList<ChatMessage> Messages { get; private set; }

    /// <summary>What the media are: a hash of each.</summary>
    public string Key { get; private set; } = "";

    /// <summary>Takes the media out of messages.</summary>
    /// <exception cref="UserErrorException">There are some that the model does not read, or too many; all of them are named.</exception>
    public static ShownMedia Of(IReadOnlyList<ChatMessage> messages, IReadOnlyList<string> modalities, string model)
    {
        var shown = new ShownMedia(messages);
        var problems = new List<string>();
        shown.Messages = [.. messages.Select(message => message.Contents.Any(content => content is DataContent or UriContent) ? shown.TakeOut(message, modalities, problems) : message)];
        if (problems.Count > 0)
        {
            var reads = modalities.Count == 0 ? "nothing but text" : $"text and {string.Join(", ", modalities.Select(modality => $"one {modality}"))}";
            throw new UserErrorException($"the model '{model}' reads {reads}: {string.Join("; ", problems.Distinct())}");
        }
        shown.Key = string.Join('|', shown.contents.OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => $"{item.Key}:{Convert.ToHexString(SHA256.HashData(item.Value.Data.Span))}"));
        return shown;
    }

    /// <summary>A sample with the media, decoded.</summary>
    /// <exception cref="UserErrorException">One is unusable.</exception>
    public Sample Decode(InlineMedia media, CancellationToken cancellation)
    {
        MediaContent? Of(string modality)
        {
            if (!contents.TryGetValue(modality, out var content)) return null;
            var began = Stopwatch.GetTimestamp();
            try
            {
                return media.Decode(content, modality, cancellation);
            }
            catch (BadSampleException error)
            {
                throw new UserErrorException($"the {modality} cannot be read: {error.Message}");
            }
            finally
            {
                MediaMeter.Record(modality, began);
            }
        }

        return new Sample("request") { Image = Of("image"), Audio = Of("audio"), Video = Of("video") };
    }

    private ChatMessage TakeOut(ChatMessage message, IReadOnlyList<string> modalities, List<string> problems)
    {
        var kept = new List<AIContent>();
        foreach (var content in message.Contents)
        {
            if (content is UriContent link) problems.Add($"the content at {link.Uri} was not fetched");
            if (content is not DataContent data)
            {
                kept.Add(content);
                continue;
            }
            if (InlineMedia.ModalityOf(data) is not { } modality || !modalities.Contains(modality)) problems.Add($"'{data.MediaType}' is none of these");
            else if (contents.TryAdd(modality, data)) kept.Add(new UriContent("sample:" + modality, modality + "/*"));
            else problems.Add($"there is more than one {modality}");
        }
        var taken = message.Clone();
        taken.Contents = kept;
        return taken;
    }
}
