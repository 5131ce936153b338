using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Published;

/// <summary>A published model as a project of ours.</summary>
/// <param name="Node">Name of the node that it becomes: <c>decoder</c>, <c>image</c>.</param>
/// <param name="Plugin">The node's plugin.</param>
/// <param name="Input">What the node is wired to: <c>ids</c> to <c>sample.text</c>.</param>
/// <param name="Settings">The node's settings.</param>
/// <param name="TensorName">The published name of a tensor of the tower's description.</param>
internal sealed record PublishedArchitecture(string Node, string Plugin, (string Port, string Source) Input, JsonObject Settings, Func<string, string> TensorName)
{
    private static readonly string[] Decoders = ["llama", "mistral", "qwen2", "qwen3", "smollm"];
    private static readonly string[] Towers = ["clip", "clip_vision_model", "siglip", "siglip_vision_model"];

    /// <summary>Rows of the embedding; 0 for a tower of pictures.</summary>
    public long Vocabulary { get; init; }

    /// <summary>Positions that the model was trained for.</summary>
    public long Context { get; init; }

    /// <summary>Side of the pictures; 0 for a decoder.</summary>
    public long ImageSize { get; init; }

    /// <summary>Published tensors that mean nothing here, with the reason.</summary>
    public IReadOnlyList<(Regex Name, string Reason)> Ignored { get; init; } = [];

    /// <summary>Finds out what a folder holds.</summary>
    /// <exception cref="UserErrorException">An architecture, or a variant of one, that is not known.</exception>
    public static PublishedArchitecture Of(PublishedFolder folder)
    {
        var config = new PublishedConfig(folder.Config, Path.Combine(folder.Path, "config.json"));
        var type = config.Text("model_type") ?? throw config.Bad("it has no 'model_type'");
        if (Decoders.Contains(type)) return Decoder(config, type, folder);
        if (Towers.Contains(type)) return Tower(config.Section("vision_config") ?? config, type.StartsWith("siglip", StringComparison.Ordinal), folder);
        string[] known = [.. Decoders, .. Towers];
        throw config.Bad($"the architecture '{type}' is unknown{NearestName.Suggestion(type, known)}; known are {string.Join(", ", known)}");
    }

    private static PublishedArchitecture Decoder(PublishedConfig config, string type, PublishedFolder folder)
    {
        var (width, heads, context) = (config.Count("hidden_size"), config.Count("num_attention_heads"), config.Count("max_position_embeddings", 2048));
        if (config.Text("hidden_act") is { } activation and not ("silu" or "swish")) throw config.Bad($"'hidden_act' is '{activation}'; the decoder's feed-forward layer is gated by silu");
        if (config.Section("rope_scaling") is { } scaling && (scaling.Text("rope_type") ?? scaling.Text("type")) is { } kind and not "default")
            throw config.Bad($"'rope_scaling' of the kind '{kind}' stretches rotary positions, which decoder.causal does not; models without it are read");
        if (config.Flag("mlp_bias", false)) throw config.Bad("'mlp_bias' is true; the decoder's feed-forward layer has no biases");
        if (type is "llama" or "smollm" or "qwen3" && config.Flag("attention_bias", false)) throw config.Bad("'attention_bias' is true, which gives the attention's output a bias too; the decoder has biases of queries, keys and values alone (qwen2)");
        var window = config.Has("sliding_window") && (type != "qwen2" && type != "qwen3" || config.Flag("use_sliding_window", false)) ? config.Count("sliding_window") : context;
        if (window < context) throw config.Bad($"'sliding_window' is {window}, shorter than the {context} positions of the model; the decoder sees all of them, so set 'max_position_embeddings' to {window} to use it within the window");
        var prefix = folder.Has("model.embed_tokens.weight") || !folder.Has("embed_tokens.weight") ? "model." : "";
        var tied = config.Flag("tie_word_embeddings", !folder.Has("lm_head.weight"));
        return new PublishedArchitecture("decoder", "decoder.causal", ("ids", "sample.text"), new JsonObject
        {
            ["width"] = width,
            ["layers"] = config.Count("num_hidden_layers"),
            ["heads"] = heads,
            ["keyValueHeads"] = config.Count("num_key_value_heads", heads),
            ["headWidth"] = config.Count("head_dim", width / heads),
            ["feedForward"] = config.Count("intermediate_size"),
            ["ropeBase"] = (config.Section("rope_parameters") ?? config).Number("rope_theta", 10000),
            ["normEpsilon"] = config.Number("rms_norm_eps", 1e-6),
            ["tiedHead"] = tied,
            ["attentionBias"] = type == "qwen2",
            ["queryKeyNorm"] = type == "qwen3",
        }, name => DecoderName(name, prefix))
        {
            Vocabulary = config.Count("vocab_size"),
            Context = context,
            Ignored =
            [
                (new Regex(@"\.rotary_emb\.inv_freq$"), "computed from rope_theta"),
                .. tied ? new[] { (new Regex(@"^lm_head\.weight$"), "the embedding is the head") } : [],
            ],
        };
    }

    private static PublishedArchitecture Tower(PublishedConfig config, bool siglip, PublishedFolder folder)
    {
        var width = config.Count("hidden_size", siglip ? 768 : null);
        var size = config.Count("image_size", 224);
        var projected = !siglip && folder.Has("visual_projection.weight");
        var activation = config.Text("hidden_act") ?? (siglip ? "gelu_pytorch_tanh" : "quick_gelu");
        var prefix = folder.Names.Any(name => name.StartsWith("vision_model.", StringComparison.Ordinal)) ? "vision_model." : "";
        return new PublishedArchitecture("image", "encoder.clip-vision", ("pixels", "sample.image"), new JsonObject
        {
            ["width"] = width,
            ["layers"] = config.Count("num_hidden_layers", 12),
            ["heads"] = config.Count("num_attention_heads", 12),
            ["feedForward"] = config.Count("intermediate_size", 3072),
            ["patch"] = config.Count("patch_size", siglip ? 16 : 32),
            ["activation"] = activation switch
            {
                "quick_gelu" => "quickGelu",
                "gelu" => "gelu",
                "gelu_pytorch_tanh" or "gelu_new" => "geluTanh",
                _ => throw config.Bad($"'hidden_act' is '{activation}'; known are quick_gelu, gelu and gelu_pytorch_tanh"),
            },
            ["classToken"] = !siglip,
            ["inputNorm"] = !siglip,
            ["patchBias"] = siglip,
            ["attentionPool"] = folder.Has($"{prefix}head.probe"),
            ["projection"] = projected,
            ["pooled"] = projected ? folder.Shape("visual_projection.weight")[0] : width,
            ["normEpsilon"] = config.Number("layer_norm_eps", siglip ? 1e-6 : 1e-5),
            ["pixels"] = siglip ? "half" : "clip",
        }, name => TowerName(name, prefix))
        {
            ImageSize = size,
            Ignored =
            [
                (new Regex("^(text_model|text_projection)\\."), "of the text tower"), (new Regex("^logit_(scale|bias)$"), "of the contrastive loss"),
                (new Regex(@"\.position_ids$"), "counts from 0"),
            ],
        };
    }

    /// <summary>Published name of a decoder's tensor.</summary>
    public static string DecoderName(string name, string prefix = "model.") => name == "head.weight" ? "lm_head.weight" : prefix + name
        .Replace("embedding.", "embed_tokens.", StringComparison.Ordinal)
        .Replace(".attention_norm.", ".input_layernorm.", StringComparison.Ordinal)
        .Replace(".feed_forward_norm.", ".post_attention_layernorm.", StringComparison.Ordinal)
        .Replace(".attention.", ".self_attn.", StringComparison.Ordinal)
        .Replace(".feed_forward.", ".mlp.", StringComparison.Ordinal);

    /// <summary>Published name of a picture tower's tensor.</summary>
    public static string TowerName(string name, string prefix = "vision_model.")
    {
        if (name == "pooled.proj.weight") return "visual_projection.weight";
        if (name == "class_token") return $"{prefix}embeddings.class_embedding";
        if (name == "positions") return $"{prefix}embeddings.position_embedding.weight";
        if (name.StartsWith("patches.", StringComparison.Ordinal)) return $"{prefix}embeddings.patch_embedding.{name[8..]}";
        if (name.StartsWith("input_norm.", StringComparison.Ordinal)) return $"{prefix}pre_layrnorm.{name[11..]}";  // sic
        if (name.StartsWith("norm.", StringComparison.Ordinal)) return $"{prefix}post_layernorm.{name[5..]}";
        if (name.StartsWith("pooled.", StringComparison.Ordinal)) return PoolName(name[7..], $"{prefix}head.");
        return prefix + "encoder." + name
            .Replace(".attention_norm.", ".layer_norm1.", StringComparison.Ordinal)
            .Replace(".feed_forward_norm.", ".layer_norm2.", StringComparison.Ordinal)
            .Replace(".attention.o_proj.", ".attention.out_proj.", StringComparison.Ordinal)
            .Replace(".attention.", ".self_attn.", StringComparison.Ordinal)
            .Replace(".feed_forward.", ".mlp.", StringComparison.Ordinal);
    }

    private static string PoolName(string name, string head) => head + name
        .Replace("attention.in_proj.", "attention.in_proj_", StringComparison.Ordinal)
        .Replace("norm.", "layernorm.", StringComparison.Ordinal)
        .Replace("fc1.", "mlp.fc1.", StringComparison.Ordinal)
        .Replace("fc2.", "mlp.fc2.", StringComparison.Ordinal);
}
