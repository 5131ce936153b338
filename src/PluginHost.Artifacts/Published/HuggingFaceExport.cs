using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published;

/// <summary>Writes a decoder as Hugging Face's libraries read it: <c>config.json</c>, <c>model.safetensors</c>, tokenizer and generation settings.</summary>
public static class HuggingFaceExport
{
    /// <summary>Writes the folder.</summary>
    /// <returns>The files.</returns>
    public static IReadOnlyList<string> Write(ExportedRun run, ExportTokens tokens, string folder)
    {
        using var scope = NewDisposeScope();
        var tower = run.TextDecoder("a Hugging Face folder");
        Directory.CreateDirectory(folder);
        SafeTensors.Write(Path.Combine(folder, "model.safetensors"), tower.Tensors.ToDictionary(item => PublishedArchitecture.DecoderName(item.Key), item => item.Value), new Dictionary<string, string> { ["format"] = "pt" });
        Text("config.json", Config(tower, tokens, run.Plan.Project.Data.TextLength));
        Text("generation_config.json", new JsonObject { ["bos_token_id"] = tokens.Begin, ["eos_token_id"] = tokens.End, ["pad_token_id"] = tokens.Pad, ["do_sample"] = false });
        Text("tokenizer.json", tokens.Json);
        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["bos_token"] = tokens.Text(tokens.Begin),
            ["eos_token"] = tokens.Text(tokens.End),
            ["pad_token"] = tokens.Text(tokens.Pad),
            ["model_max_length"] = run.Plan.Project.Data.TextLength,
            ["clean_up_tokenization_spaces"] = false,
        };
        if (run.Plan.Tokenizer!.Settings.TryGetValue(ModelImport.ChatTemplate, out var template) && template is string chat) config["chat_template"] = chat;
        Text("tokenizer_config.json", config);
        return ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

        void Text(string name, JsonObject json) => AtomicFile.WriteText(Path.Combine(folder, name), json.ToJsonString(RunFolder.Indented));
    }

    private static JsonObject Config(TowerDescription tower, ExportTokens tokens, int context)
    {
        var family = DecoderFamily.Of(tower);
        return new JsonObject
        {
            ["architectures"] = new JsonArray(family.Class),
            ["model_type"] = family.Type,
            ["hidden_size"] = tower.Width,
            ["num_hidden_layers"] = tower.Layers,
            ["num_attention_heads"] = tower.Heads,
            ["num_key_value_heads"] = tower.KeyValueHeads,
            ["head_dim"] = tower.HeadWidth,
            ["intermediate_size"] = tower.FeedForward,
            ["hidden_act"] = "silu",
            ["rms_norm_eps"] = tower.NormEpsilon,
            ["rope_theta"] = tower.RotaryBase,
            ["max_position_embeddings"] = context,
            ["vocab_size"] = tower.Tensors["embedding.weight"].size(0),
            ["tie_word_embeddings"] = !tower.Tensors.ContainsKey("head.weight"),
            ["attention_bias"] = false,
            ["mlp_bias"] = false,
            ["bos_token_id"] = tokens.Begin,
            ["eos_token_id"] = tokens.End,
            ["pad_token_id"] = tokens.Pad,
            ["torch_dtype"] = "float32",
        };
    }
}
