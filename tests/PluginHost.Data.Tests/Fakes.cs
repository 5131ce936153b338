using System.Text;
using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

/// <summary>One id per byte, after the special tokens.</summary>
internal sealed class ByteTokenizer : ITokenizer
{
    public const int First = 7;

    /// <summary>Encodes text that looks like a special token as that token, which the contract forbids.</summary>
    public bool BelievesText { get; init; }

    public int Vocabulary => First + 256;

    public IReadOnlyList<int> Encode(string text) =>
        BelievesText && text == SpecialTokens.Image ? [Special(text)] : [.. Encoding.UTF8.GetBytes(text).Select(value => value + First)];

    public string Decode(IReadOnlyList<int> ids) => Encoding.UTF8.GetString([.. ids.Where(id => id >= First).Select(id => (byte)(id - First))]);

    public int Special(string token) => SpecialTokens.All.ToList().IndexOf(token);

    public string ToJson() => "{}";
}

/// <summary>Writes a message as <c>U</c>, its contents, <c>A</c>.</summary>
internal sealed class ChatByteTokenizer(ByteTokenizer bytes) : IChatTokenizer
{
    public int Vocabulary => bytes.Vocabulary;

    public IReadOnlyList<int> Encode(string text) => bytes.Encode(text);

    public string Decode(IReadOnlyList<int> ids) => bytes.Decode(ids);

    public int Special(string token) => bytes.Special(token);

    public string ToJson() => bytes.ToJson();

    public IReadOnlyList<int>? EncodeChat(IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool>? tools = null) =>
        [.. Encode("U"), .. messages.SelectMany(message => message.Contents).SelectMany(content => content is UriContent uri ? [Special($"<{uri.MediaType.Split('/')[0]}>")] : Encode(((TextContent)content).Text)), .. Encode("A")];
}

/// <summary>Samples from a list; null stands for one that cannot be read.</summary>
internal sealed class ListSource(params IReadOnlyList<Sample?> train) : ISource
{
    private int reads;

    public int Reads => Volatile.Read(ref reads);

    public bool Disposed { get; private set; }

    public Exception Failure { get; init; } = new BadSampleException("cannot be read");

    public IReadOnlyList<string> Splits { get; } = ["train", "test"];

    public string Fingerprint => "list";

    public int Count(string split) => split == "train" ? train.Count : 0;

    public Sample Read(string split, int index)
    {
        Interlocked.Increment(ref reads);
        return train[index] ?? throw Failure;
    }

    public void Dispose() => Disposed = true;
}

/// <summary>Decodes every file to the same content and counts how often.</summary>
internal sealed class FakeDecoder(Func<string, MediaContent> decode) : IMediaDecoder
{
    public List<string> Asked { get; } = [];

    public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation)
    {
        lock (Asked) Asked.Add($"{modality}:{Path.GetFileName(path)}");
        return decode(modality);
    }
}

internal static class Make
{
    /// <summary>A row as it is padded: to a multiple of eight.</summary>
    public static long[] Padded(long filler, params ReadOnlySpan<long> row) => [.. row, .. Enumerable.Repeat(filler, (8 - row.Length % 8) % 8)];

    public static DataConfig Config { get; } = new()
    {
        Sources = [],
        Workers = 1,
        ImageSize = 8,
        AudioRate = 2000,
        AudioSeconds = 0.1,
        TextLength = 64,
        Languages = ["en", "zh"],
    };

    public static Picture Picture(byte red = 255, byte green = 0, byte blue = 51) => new(8, 8, [.. Enumerable.Repeat((byte[])[red, green, blue], 64).SelectMany(pixel => pixel)]);

    public static Sound Sound(int samples = 200) => new(2000, [.. Enumerable.Repeat(0.5f, samples)]);

    public static Sample Sample(string id, params IReadOnlyList<Turn> turns) => new(id)
    {
        Image = Picture(),
        Texts = new Dictionary<string, string> { ["en"] = "cat " + id, ["zh"] = "猫" },
        Turns = turns.Count > 0 ? turns : [new Turn("q", "p" + id, "a", "image")],
    };

    public static Dataset Dataset(ISource source, DataConfig? config = null, ITokenizer? tokenizer = null, IReadOnlyList<MediaPlugin>? media = null, RejectionLog? log = null) =>
        new(config ?? Config, source, media ?? [], log ?? new RejectionLog(), TorchSharp.torch.CPU) { Tokenizer = tokenizer ?? new ByteTokenizer() };
}
