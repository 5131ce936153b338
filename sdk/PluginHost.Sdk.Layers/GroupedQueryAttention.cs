using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>What all attention layers of a tower share in one forward pass.</summary>
/// <param name="Mask">Additive [batch or 1, 1, queries or 1, keys], or null: nothing is hidden, but see <paramref name="Causal"/>.</param>
/// <param name="Causal">Plain causal attention; then <paramref name="Mask"/> is null and no key/value slot is filled.</param>
/// <param name="Rotation">The rotation of the new positions, or null for none.</param>
/// <param name="Cache">Keys and values of earlier positions, or null.</param>
public sealed record AttentionPass(Tensor? Mask, bool Causal, Rotation? Rotation, KeyValueCache? Cache);

/// <summary>
/// Multi-head attention whose query heads share key/value heads in groups (Ainslie et al. 2023); equal numbers give plain
/// multi-head attention. Query, key and value are one product.
/// </summary>
public sealed class GroupedQueryAttention : nn.Module
{
    private readonly long heads;
    private readonly long keyValueHeads;
    private readonly long headWidth;
    private readonly int layer;
    private readonly RmsNorm? queryNorm;
    private readonly RmsNorm? keyNorm;
    private readonly FusedLinear inputs;
    private readonly FusedLinear output;

    /// <summary>Builds the layer.</summary>
    /// <param name="name">Its dotted name: <c>layers.3.attention</c>.</param>
    /// <param name="layer">Its index in the cache.</param>
    /// <param name="shape">Widths and heads.</param>
    /// <param name="context">Says type and device.</param>
    public GroupedQueryAttention(string name, int layer, BlockShape shape, BuildContext context) : base(nameof(GroupedQueryAttention))
    {
        (heads, keyValueHeads, headWidth, this.layer) = (shape.Heads, shape.KeyValueHeads, shape.HeadWidth, layer);
        var keys = keyValueHeads * headWidth;
        inputs = new FusedLinear(name, shape.Width, [("q_proj", heads * headWidth), ("k_proj", keys), ("v_proj", keys)], context, biased: shape.AttentionBias);
        output = new FusedLinear(name, heads * headWidth, [("o_proj", shape.Width)], context, Initial.Residual(shape.Layers));
        register_module("qkv", inputs);
        register_module("o_proj", output);
        if (shape.QueryKeyNorm)
        {
            queryNorm = new RmsNorm(headWidth, context, shape.NormEpsilon);
            keyNorm = new RmsNorm(headWidth, context, shape.NormEpsilon);
            register_module("q_norm", queryNorm);
            register_module("k_norm", keyNorm);
        }
        Slot = new KeyValueSlot(name, keyValueHeads, headWidth);
        Projections = [.. inputs.Projections, .. output.Projections];
    }

    /// <summary>q_proj, k_proj, v_proj and o_proj.</summary>
    public IReadOnlyList<Projection> Projections { get; }

    /// <summary>Learnt keys and values that every query sees.</summary>
    public KeyValueSlot Slot { get; }

    /// <summary>Its tensors by name: views of what is stored, in the caller's dispose scope.</summary>
    /// <param name="name">Its dotted name: <c>layers.3.attention</c>.</param>
    public IEnumerable<(string Name, Tensor Value)> Describe(string name)
    {
        if (queryNorm is null || keyNorm is null) return [.. inputs.Describe(), .. output.Describe()];
        return [.. inputs.Describe(), .. output.Describe(), ($"{name}.q_norm.weight", queryNorm.Weight), ($"{name}.k_norm.weight", keyNorm.Weight)];
    }

    /// <summary>Attends: [batch, tokens, width] to the same.</summary>
    public Tensor Forward(Tensor x, AttentionPass pass)
    {
        var (batch, tokens) = (x.size(0), x.size(1));
        var fused = inputs.Forward(x).view(batch, tokens, heads + 2 * keyValueHeads, headWidth);
        if (queryNorm is not null && keyNorm is not null)
        {
            var raw = fused.split([heads, keyValueHeads, keyValueHeads], 2);
            fused = cat([queryNorm.Forward(raw[0]), keyNorm.Forward(raw[1]), raw[2]], 2);
        }
        // Queries and keys are rotated together, before the heads move in front of the tokens.
        if (pass.Rotation is { } rotation) fused = rotation.Apply(fused, headWidth, heads + keyValueHeads);
        var parts = fused.split([heads, keyValueHeads, keyValueHeads], 2);
        var query = parts[0].transpose(1, 2);   // [batch, heads, tokens, head width]
        var keys = parts[1].transpose(1, 2);    // [batch, key/value heads, tokens, head width]
        var values = parts[2].transpose(1, 2);
        if (pass.Cache is { } cache) (keys, values) = cache.Append(layer, keys, values);
        var mask = pass.Mask;
        if (Slot.Content is { } extra)
        {
            mask = AttentionMask.Before(extra, mask, keys.size(2), keys.dtype);
            keys = cat([extra.Keys.unsqueeze(0).expand(batch, -1, -1, -1), keys], 2);
            values = cat([extra.Values.unsqueeze(0).expand(batch, -1, -1, -1), values], 2);
        }
        return output.Forward(Attend(query, keys, values, mask, pass.Causal));
    }

    private Tensor Attend(Tensor query, Tensor keys, Tensor values, Tensor? mask, bool causal)
    {
        var (batch, tokens, group) = (query.size(0), query.size(2), heads / keyValueHeads);
        // One query: the heads of a group stand in as its rows, so that keys and values need no copies.
        var folded = tokens == 1 && group > 1;
        if (folded) query = query.reshape(batch, keyValueHeads, group, headWidth);
        else if (group > 1) (keys, values) = (Repeat(keys, group), Repeat(values, group));
        var attended = Arithmetic.Attention(query, keys, values, mask, causal && tokens > 1);
        if (folded) attended = attended.reshape(batch, heads, 1, headWidth);
        return attended.transpose(1, 2).reshape(batch, tokens, heads * headWidth);
    }

    private Tensor Repeat(Tensor x, long group) => x.unsqueeze(2)
        .expand(-1, -1, group, -1, -1).reshape(x.size(0), heads, x.size(2), headWidth);
}
