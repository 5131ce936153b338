using System.Text.Json;

namespace Tokenizer.HuggingFace;

/// <summary>A token that is looked for in the text itself, before anything else happens to it.</summary>
internal sealed record AddedToken(int Id, string Content, bool Special, bool LeftStrip, bool RightStrip);

/// <summary>What a <c>tokenizer.json</c> says.</summary>
internal sealed record TokenizerFile
{
    private static readonly string[] Kinds = ["BPE"];

    public required IReadOnlyDictionary<string, int> Vocabulary { get; init; }

    /// <summary>Pairs in the order in which they are merged.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    public required IReadOnlyList<AddedToken> Added { get; init; }

    /// <summary>Whether tokens are spelled in GPT-2's alphabet of bytes.</summary>
    public required bool ByteLevel { get; init; }

    /// <summary>Whether characters that are no tokens become their bytes, <c>&lt;0xE6&gt;</c>.</summary>
    public required bool ByteFallback { get; init; }

    /// <summary>Whether a word that is a token is taken whole, whatever its merges say.</summary>
    public required bool IgnoreMerges { get; init; }

    /// <summary>What stands for a character that is no token; null: nothing does.</summary>
    public required string? Unknown { get; init; }

    public required IReadOnlyList<TextStep> Steps { get; init; }

    public required IReadOnlyList<Splitter> Splitters { get; init; }

    /// <summary>Whether decoding takes away one blank at the beginning: the one that encoding put there.</summary>
    public required bool StripsFirstBlank { get; init; }

    /// <summary>Reads the file's text.</summary>
    /// <exception cref="FormatException">It is no tokenizer that can be read; the message completes a sentence.</exception>
    public static TokenizerFile Parse(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return Read(json.RootElement);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FormatException(error is JsonException ? $"it is no JSON ({error.Message.TrimEnd('.')})" : error.Message.TrimEnd('.'));
        }
    }

    private static TokenizerFile Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("model", out var model) || model.ValueKind != JsonValueKind.Object) throw new FormatException("it has no 'model'");
        // Files of older versions of the format leave the model's type out.
        var type = Text(model, "type") ?? (model.TryGetProperty("merges", out _) ? "BPE" : "none");
        if (!Kinds.Contains(type)) throw new FormatException($"its model is of the type '{type}', and only {string.Join(", ", Kinds)} is read: WordPiece and Unigram are other ways to cut words");
        foreach (var affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (Text(model, affix) is { Length: > 0 } set) throw new FormatException($"its model has a '{affix}' ('{set}'), which is not read");
        if (model.TryGetProperty("dropout", out var dropout) && dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() > 0) throw new FormatException("its model drops merges at random ('dropout'), which is not read");

        var cutting = new Cutting();
        if (Section(root, "normalizer") is { } normalizer) cutting.AddNormalizer(normalizer);
        if (Section(root, "pre_tokenizer") is { } pre) cutting.AddPreTokenizer(pre);
        var decoders = Section(root, "decoder") is { } decoder ? Flatten(decoder).ToArray() : [];
        return new TokenizerFile
        {
            Vocabulary = model.GetProperty("vocab").EnumerateObject().ToDictionary(token => token.Name, token => Id(token.Value, token.Name)),
            Merges = [.. model.GetProperty("merges").EnumerateArray().Select(Merge)],
            Added = root.TryGetProperty("added_tokens", out var added) && added.ValueKind == JsonValueKind.Array ? [.. added.EnumerateArray().Select(ReadAdded)] : [],
            ByteLevel = cutting.ByteLevel || decoders.Any(part => Text(part, "type") == "ByteLevel"),
            ByteFallback = Flag(model, "byte_fallback"),
            IgnoreMerges = Flag(model, "ignore_merges"),
            Unknown = Text(model, "unk_token"),
            Steps = cutting.Steps,
            Splitters = cutting.Splitters,
            StripsFirstBlank = decoders.Any(part => Text(part, "type") == "Strip" && Text(part, "content") == " ") || (cutting.PrependsBlank && decoders.Any(part => Text(part, "type") == "Metaspace")),
        };
    }

    internal static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    internal static bool Flag(JsonElement json, string name, bool otherwise = false) =>
        json.TryGetProperty(name, out var value) ? value.ValueKind == JsonValueKind.True || (value.ValueKind != JsonValueKind.False && otherwise) : otherwise;

    internal static IEnumerable<JsonElement> Flatten(JsonElement part)
    {
        if (Text(part, "type") != "Sequence") return [part];
        foreach (var name in (string[])["normalizers", "pretokenizers", "decoders"])
            if (part.TryGetProperty(name, out var parts)) return parts.EnumerateArray().SelectMany(Flatten);
        throw new FormatException("a 'Sequence' in it has no parts");
    }

    private static JsonElement? Section(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    private static int Id(JsonElement value, string token) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0 ? id : throw new FormatException($"the id of '{token}' is {value.GetRawText()}");

    // Two texts, or in older files one text with a blank.
    private static (string, string) Merge(JsonElement json)
    {
        var parts = json.ValueKind == JsonValueKind.String ? json.GetString()!.Split(' ') : [.. json.EnumerateArray().Select(part => part.GetString() ?? "")];
        return parts is [{ Length: > 0 } left, { Length: > 0 } right] ? (left, right) : throw new FormatException($"its merges hold {json.GetRawText()}, which is no pair");
    }

    private static AddedToken ReadAdded(JsonElement json)
    {
        var content = Text(json, "content") is { Length: > 0 } text ? text : throw new FormatException("an added token has no content");
        return new AddedToken(Id(json.GetProperty("id"), content), content, Flag(json, "special"), Flag(json, "lstrip"), Flag(json, "rstrip"));
    }
}
