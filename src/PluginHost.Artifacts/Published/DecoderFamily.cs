using PluginHost.Sdk;

namespace PluginHost.Artifacts.Published;

/// <summary>What a decoder is called where others look at it.</summary>
/// <param name="Type">Hugging Face's <c>model_type</c>, and GGUF's architecture.</param>
/// <param name="Class">Hugging Face's class.</param>
/// <param name="Interleaved">Whether GGUF's runtimes turn neighbours of a head against each other instead of halves.</param>
internal sealed record DecoderFamily(string Type, string Class, bool Interleaved)
{
    /// <exception cref="UserErrorException">No family is like it.</exception>
    public static DecoderFamily Of(TowerDescription tower)
    {
        var biased = tower.Tensors.ContainsKey("layers.0.attention.q_proj.bias");
        var normed = tower.Tensors.ContainsKey("layers.0.attention.q_norm.weight");
        if (biased && normed) throw new UserErrorException("The decoder has both attentionBias and queryKeyNorm, which no published family has; train it with one of them to export it.");
        if (normed) return new("qwen3", "Qwen3ForCausalLM", false);
        return biased ? new("qwen2", "Qwen2ForCausalLM", false) : new("llama", "LlamaForCausalLM", true);
    }
}
