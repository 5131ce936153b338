using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>How matrix products are computed: the host's training engine brings bf16, fp16 and fp8.</summary>
public interface IArithmetic
{
    /// <summary>A linear map without bias.</summary>
    /// <param name="input">[..., inputs].</param>
    /// <param name="weight">[outputs, inputs], in fp32.</param>
    /// <returns>[..., outputs], in fp32.</returns>
    Tensor Linear(Tensor input, Tensor weight);

    /// <summary>Scaled dot-product attention; by default that of the tensors' own type.</summary>
    /// <param name="query">[batch, heads, queries, head width].</param>
    /// <param name="keys">[batch, heads, keys, head width].</param>
    /// <param name="values">[batch, heads, keys, head width].</param>
    /// <param name="mask">Numbers added to the scores, broadcast to [batch, heads, queries, keys]; null: none.</param>
    /// <param name="causal">Whether query i sees keys 0 to i alone; then there is no mask.</param>
    /// <returns>[batch, heads, queries, head width].</returns>
    Tensor Attention(Tensor query, Tensor keys, Tensor values, Tensor? mask, bool causal) =>
        nn.functional.scaled_dot_product_attention(query, keys, values, mask, 0, causal);
}

/// <summary>
/// The arithmetic of the calling thread. Layers ask for their linear maps and their attention here; norms, softmax and losses are plain
/// operators and stay in fp32. Without an arithmetic, products are those of the tensors' own type.
/// </summary>
public static class Arithmetic
{
    [ThreadStatic]
    private static IArithmetic? current;

    /// <summary>What the host has chosen for this thread; null: nothing special.</summary>
    public static IArithmetic? Current => current;

    /// <summary>A linear map without bias: [..., inputs] by a weight [outputs, inputs] to [..., outputs].</summary>
    public static Tensor Linear(Tensor input, Tensor weight) => current?.Linear(input, weight) ?? nn.functional.linear(input, weight);

    /// <summary>Scaled dot-product attention; see <see cref="IArithmetic.Attention"/>.</summary>
    public static Tensor Attention(Tensor query, Tensor keys, Tensor values, Tensor? mask, bool causal) =>
        current?.Attention(query, keys, values, mask, causal) ?? nn.functional.scaled_dot_product_attention(query, keys, values, mask, 0, causal);

    /// <summary>Chooses an arithmetic for this thread until the result is disposed.</summary>
    public static Chosen Use(IArithmetic? arithmetic)
    {
        var former = current;
        current = arithmetic;
        return new Chosen(former);
    }

    /// <summary>A choice in force.</summary>
    public readonly ref struct Chosen
    {
        private readonly IArithmetic? former;

        internal Chosen(IArithmetic? former) => this.former = former;

        /// <summary>Goes back to what was chosen before.</summary>
        public void Dispose() => current = former;
    }
}
