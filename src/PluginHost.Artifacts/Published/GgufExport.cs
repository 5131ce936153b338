using System.Text.Json.Nodes;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published;

/// <summary>Writes a decoder with its tokenizer as GGUF, for llama.cpp and what is built on it.</summary>
public static class GgufExport
{
    // llama.cpp's numbers of token types.
    private const int Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6;

    private static readonly (string From, string To)[] Names =
    [
        ("embedding.weight", "token_embd.weight"), ("head.weight", "output.weight"), ("feed_forward_norm.", "ffn_norm."), ("feed_forward.gate_proj.", "ffn_gate."),
        ("feed_forward.up_proj.", "ffn_up."), ("feed_forward.down_proj.", "ffn_down."), ("attention_norm.", "attn_norm."), ("attention.q_proj.", "attn_q."), ("attention.k_proj.", "attn_k."),
        ("attention.v_proj.", "attn_v."), ("attention.o_proj.", "attn_output."), ("attention.q_norm.", "attn_q_norm."), ("attention.k_norm.", "attn_k_norm."), ("layers.", "blk."),
    ];

    /// <summary>The patterns by which words are cut, as files state them, and llama.cpp's names for them.</summary>
    private static readonly (string Pattern, string Name)[] Cuts =
    [
        (@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", "qwen2"),
        (@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", "llama-bpe"),
    ];

    /// <summary>Writes the file.</summary>
    /// <param name="run">The run.</param>
    /// <param name="tokens">Its tokenizer.</param>
    /// <param name="type">How matrices are stored.</param>
    /// <param name="path">The file.</param>
    public static void Write(ExportedRun run, ExportTokens tokens, GgufType type, string path)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        File(run.TextDecoder("GGUF"), tokens, run.Plan.Project.Name, run.Plan.Project.Data.TextLength, type).Write(path);
    }

    /// <summary>A decoder as a file to be written.</summary>
    internal static GgufFile File(TowerDescription tower, ExportTokens tokens, string name, int context, GgufType type)
    {
        var family = DecoderFamily.Of(tower);
        var file = new GgufFile();
        AddSettings(file, tower, family.Type, type);
        file.Add("general.name", name);
        file.Add($"{family.Type}.context_length", context);
        AddTokenizer(file, tokens, tower.Tensors["embedding.weight"].size(0));
        foreach (var (logical, value) in tower.Tensors)
        {
            var heads = logical.Contains(".q_proj.", StringComparison.Ordinal) ? tower.Heads : logical.Contains(".k_proj.", StringComparison.Ordinal) ? tower.KeyValueHeads : 0;
            file.Add(NameOf(logical), family.Interleaved && heads > 0 ? Interleave(value, heads) : value, type);
        }
        return file;
    }

    /// <summary>GGUF's name of a tensor.</summary>
    internal static string NameOf(string name) =>
        name == "norm.weight" ? "output_norm.weight" : Names.Aggregate(name, (text, pair) => text.Replace(pair.From, pair.To, StringComparison.Ordinal));

    /// <summary>Rows of each head from halves to neighbours: row i and row i + half are turned against each other, and become rows 2i and 2i + 1.</summary>
    internal static Tensor Interleave(Tensor rows, long heads)
    {
        var shape = rows.shape;
        return rows.reshape([heads, 2, shape[0] / heads / 2, .. shape[1..]]).transpose(1, 2).reshape(shape);
    }

    private static void AddSettings(GgufFile file, TowerDescription tower, string family, GgufType type)
    {
        file.Add("general.architecture", family);
        file.Add("general.file_type", type switch { GgufType.F32 => 0, GgufType.F16 => 1, _ => 7 });
        file.Add($"{family}.embedding_length", tower.Width);
        file.Add($"{family}.block_count", tower.Layers);
        file.Add($"{family}.feed_forward_length", tower.FeedForward);
        file.Add($"{family}.attention.head_count", tower.Heads);
        file.Add($"{family}.attention.head_count_kv", tower.KeyValueHeads);
        file.Add($"{family}.attention.key_length", tower.HeadWidth);
        file.Add($"{family}.attention.value_length", tower.HeadWidth);
        file.Add($"{family}.attention.layer_norm_rms_epsilon", (float)tower.NormEpsilon);
        file.Add($"{family}.rope.freq_base", (float)tower.RotaryBase!.Value);
        file.Add($"{family}.rope.dimension_count", tower.HeadWidth);
        file.Add($"{family}.vocab_size", tower.Tensors["embedding.weight"].size(0));
    }

    private static void AddTokenizer(GgufFile file, ExportTokens tokens, long rows)
    {
        var all = tokens.All(rows);
        var bytes = (bool?)tokens.Json["model"]!["byte_fallback"] == true;
        var unknown = (string?)tokens.Json["model"]!["unk_token"];
        file.Add("tokenizer.ggml.model", bytes ? "llama" : "gpt2");
        if (!bytes) file.Add("tokenizer.ggml.pre", Cut(tokens.Json));
        file.Add("tokenizer.ggml.tokens", [.. all.Select((token, id) => token?.Text ?? $"[PAD{id}]")]);
        file.Add("tokenizer.ggml.token_type", [.. all.Select(token => Kind(token, bytes, unknown))]);
        var merges = tokens.Json["model"]!["merges"]!.AsArray().Select(merge => merge is JsonArray pair ? $"{pair[0]} {pair[1]}" : (string)merge!).ToArray();
        if (bytes) file.Add("tokenizer.ggml.scores", Scores(all, merges));
        else file.Add("tokenizer.ggml.merges", merges);
        file.Add("tokenizer.ggml.bos_token_id", tokens.Begin);
        file.Add("tokenizer.ggml.eos_token_id", tokens.End);
        file.Add("tokenizer.ggml.padding_token_id", tokens.Pad);
        file.Add("tokenizer.ggml.add_bos_token", true);
        file.Add("tokenizer.ggml.add_eos_token", false);
        if (bytes) file.Add("tokenizer.ggml.add_space_prefix", tokens.Json.ToJsonString().Contains("\"Prepend\"", StringComparison.Ordinal) || tokens.Json["pre_tokenizer"] is not null);
    }

    private static int Kind(ExportToken? token, bool bytes, string? unknown) => token switch
    {
        null => Unused,
        _ when token.Text == unknown => Unknown,
        { Special: true } => Control,
        { Added: true } => UserDefined,
        _ when bytes && token.Text is ['<', '0', 'x', _, _, '>'] => Byte,
        _ => Normal,
    };

    // SentencePiece merges the pair whose token scores highest: the earlier it was learnt, the higher.
    private static float[] Scores(IReadOnlyList<ExportToken?> all, string[] merges)
    {
        var ranks = new Dictionary<string, int>();
        for (var rank = 0; rank < merges.Length; rank++) ranks.TryAdd(merges[rank].Replace(" ", "", StringComparison.Ordinal), rank);
        return [.. all.Select(token => token is not null && ranks.TryGetValue(token.Text, out var rank) ? -rank : token is { Special: false } ? -1e6f : 0f)];
    }

    private static string Cut(JsonObject json)
    {
        var parts = json["pre_tokenizer"] is JsonObject pre ? (pre["pretokenizers"] as JsonArray)?.OfType<JsonObject>().ToArray() ?? [pre] : [];
        var pattern = parts.Select(part => part["pattern"] is JsonObject found ? (string?)found["Regex"] : null).OfType<string>().FirstOrDefault();
        if (pattern is not null)
        {
            foreach (var (known, name) in Cuts)
                if (known == pattern) return name;
            throw new UserErrorException($"GGUF names the way in which words are cut, and it has no name for the pattern {pattern} of tokenizer.json; known are those of {string.Join(" and ", Cuts.Select(cut => cut.Name))} and GPT-2's.");
        }
        if (parts.Any(part => (string?)part["type"] == "Digits")) return "smollm";
        if (parts.Any(part => (string?)part["type"] == "ByteLevel")) return "gpt-2";
        throw new UserErrorException("GGUF holds byte-level and SentencePiece-style byte-pair encodings; tokenizer.json describes neither.");
    }
}
