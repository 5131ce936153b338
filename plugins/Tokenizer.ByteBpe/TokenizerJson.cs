using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PluginHost.Sdk;

namespace Tokenizer.ByteBpe;

/// <summary>The <c>tokenizer.json</c> layout of Hugging Face's tokenizers, as far as byte-level BPE needs it.</summary>
internal static class TokenizerJson
{
    public static string Write(IReadOnlyList<string> tokens, IReadOnlyList<Merge> merges)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteSpecials(json);
            json.WriteNull("normalizer");
            WriteByteLevel(json, "pre_tokenizer");
            json.WriteNull("post_processor");
            WriteByteLevel(json, "decoder");
            WriteModel(json, tokens, merges);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>The merges; the rest follows from them, and is checked against the file.</summary>
    public static IReadOnlyList<Merge> Read(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var model = json.RootElement.GetProperty("model");
            if (model.GetProperty("type").GetString() != "BPE") throw new FormatException("model.type is not 'BPE'");
            List<Merge> merges = [.. model.GetProperty("merges").EnumerateArray().Select(ReadMerge)];
            var vocabulary = model.GetProperty("vocab");
            var expected = new ByteBpe(merges).Tokens;
            for (var id = 0; id < expected.Count; id++)
                if (!vocabulary.TryGetProperty(expected[id], out var found) || found.GetInt32() != id)
                    throw new FormatException($"model.vocab does not give the token '{expected[id]}' the id {id}: special tokens, bytes and merges follow each other");
            return merges;
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new UserErrorException($"tokenizer.json is no tokenizer of tokenizer.byte-bpe: {error.Message.TrimEnd('.')}. Delete it to train a new one.");
        }
    }

    /// <summary>A merge is a pair of strings, or in older files one string with a space.</summary>
    private static Merge ReadMerge(JsonElement json)
    {
        var parts = json.ValueKind == JsonValueKind.String ? json.GetString()!.Split(' ') : [.. json.EnumerateArray().Select(part => part.GetString() ?? "")];
        if (parts.Length != 2 || parts.Any(part => part.Length == 0 || !part.All(ByteAlphabet.IsLetter)))
            throw new FormatException($"model.merges holds {json.GetRawText()}, which is no pair of byte-level tokens");
        return new Merge(parts[0], parts[1]);
    }

    private static void WriteSpecials(Utf8JsonWriter json)
    {
        json.WriteStartArray("added_tokens");
        for (var id = 0; id < SpecialTokens.All.Count; id++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", SpecialTokens.All[id]);
            foreach (var flag in (string[])["single_word", "lstrip", "rstrip", "normalized"]) json.WriteBoolean(flag, false);
            json.WriteBoolean("special", true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, IReadOnlyList<string> tokens, IReadOnlyList<Merge> merges)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        foreach (var unused in (string[])["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"]) json.WriteNull(unused);
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteStartObject("vocab");
        for (var id = 0; id < tokens.Count; id++) json.WriteNumber(tokens[id], id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var merge in merges)
        {
            json.WriteStartArray();
            json.WriteStringValue(merge.Left);
            json.WriteStringValue(merge.Right);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
