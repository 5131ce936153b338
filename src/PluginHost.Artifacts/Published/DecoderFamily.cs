using PluginHost.Sdk;

namespace PluginHost.Artifacts.Published;

/// <summary>What a decoder is called where others look at it.</summary>
/// <param name="Type">Hugging Face's <c>model_type</c>, and GGUF's architecture.</param>
/// <param name="Class">Hugging Face's class.</param>
/// <param name="Interleaved">Whether GGUF's runtimes turn neighbours of a head against each other instead of halves.</param>
internal sealed record DecoderFamily(string Type, string Class, bool Interleaved)
{
    public static DecoderFamily Of(TowerDescription tower)
    {
        if (tower.Tensors.ContainsKey("layers.0.attention.q_norm.weight")) return new("qwen3", "Qwen3ForCausalLM", false);
        return tower.Tensors.ContainsKey("layers.0.attention.q_proj.bias") ? new("qwen2", "Qwen2ForCausalLM", false) : new("llama", "LlamaForCausalLM", true);
    }
}
