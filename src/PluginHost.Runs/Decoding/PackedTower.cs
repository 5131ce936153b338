using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Runs.Decoding;

/// <summary>A decoder's weights, packed from its description.</summary>
internal sealed class PackedTower : IDisposable
{
    private readonly List<PackedMatrix> matrices = [];

    private PackedTower(TowerDescription tower) => Shape = tower;

    /// <summary>Its numbers.</summary>
    public TowerDescription Shape { get; }

    /// <summary>The token embeddings [vocabulary, width].</summary>
    public float[] Embedding { get; private set; } = [];

    public int Vocabulary { get; private set; }

    public IReadOnlyList<Layer> Layers { get; private set; } = [];

    /// <summary>Factors of the final norm [width].</summary>
    public float[] Norm { get; private set; } = [];

    /// <summary>To the logits.</summary>
    public PackedMatrix Head { get; private set; } = null!;

    /// <summary>Bytes of the weights that a token's step reads.</summary>
    public long Bytes => matrices.Sum(matrix => matrix.Bytes);

    /// <summary>Why a tower cannot be packed; null: it can.</summary>
    public static string? Refusal(IDescribedTower? described)
    {
        if (described is null) return "the decoder does not describe its tower";
        using var scope = NewDisposeScope();
        var tower = described.Describe();
        if (tower.Kind != TowerKind.CausalDecoder) return $"the tower is a {tower.Kind}, not a causal decoder";
        if (tower.Activation != TowerActivation.GatedSilu) return $"its feed-forward layers are {tower.Activation}, not {nameof(TowerActivation.GatedSilu)}";
        if (tower.RotaryBase is null) return "its positions are not rotary";
        if (tower.HeadWidth % 8 != 0) return $"its heads are {tower.HeadWidth} wide, which is no multiple of 8";
        if (tower.Tensors.Keys.FirstOrDefault(name => name.EndsWith("norm.bias", StringComparison.Ordinal)) is { } layerNorm) return $"its norms have a bias ({layerNorm})";
        var known = Names(tower).ToHashSet(StringComparer.Ordinal);
        return tower.Tensors.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown ? $"it has a tensor '{unknown}' that is not known here" : null;
    }

    /// <summary>Packs a tower that is not refused.</summary>
    public static PackedTower Of(IDescribedTower described)
    {
        using var scope = NewDisposeScope();
        var tower = described.Describe();
        var packed = new PackedTower(tower with { Tensors = new Dictionary<string, Tensor>() });
        var embedding = tower.Tensors["embedding.weight"];
        packed.Embedding = Values(embedding);
        packed.Vocabulary = (int)embedding.size(0);
        packed.Norm = Values(tower.Tensors["norm.weight"]);
        packed.Layers = [.. Enumerable.Range(0, tower.Layers).Select(layer => packed.Pack(tower, $"layers.{layer}"))];
        packed.Head = packed.Keep(PackedMatrix.Of([tower.Tensors.GetValueOrDefault("head.weight", embedding)], [null]));
        return packed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var matrix in matrices) matrix.Dispose();
    }

    private static IEnumerable<string> Names(TowerDescription tower)
    {
        string[] projections = ["attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.o_proj", "feed_forward.gate_proj", "feed_forward.up_proj", "feed_forward.down_proj"];
        string[] norms = ["attention_norm", "attention.q_norm", "attention.k_norm", "feed_forward_norm"];
        return
        [
            "embedding.weight", "head.weight", "norm.weight",
            .. from layer in Enumerable.Range(0, tower.Layers) from name in projections from part in (string[])["weight", "bias"] select $"layers.{layer}.{name}.{part}",
            .. from layer in Enumerable.Range(0, tower.Layers) from name in norms select $"layers.{layer}.{name}.weight",
        ];
    }

    private Layer Pack(TowerDescription tower, string name)
    {
        return new Layer(
            Values(tower.Tensors[$"{name}.attention_norm.weight"]), Fused("attention.q_proj", "attention.k_proj", "attention.v_proj"), Fused("attention.o_proj"),
            Norm("attention.q_norm"), Norm("attention.k_norm"),
            Values(tower.Tensors[$"{name}.feed_forward_norm.weight"]), Fused("feed_forward.gate_proj", "feed_forward.up_proj"), Fused("feed_forward.down_proj"));

        PackedMatrix Fused(params string[] parts) => Keep(PackedMatrix.Of(
            [.. parts.Select(part => tower.Tensors[$"{name}.{part}.weight"])], [.. parts.Select(part => tower.Tensors.GetValueOrDefault($"{name}.{part}.bias"))]));

        float[]? Norm(string part) => tower.Tensors.GetValueOrDefault($"{name}.{part}.weight") is { } weight ? Values(weight) : null;
    }

    private PackedMatrix Keep(PackedMatrix matrix)
    {
        matrices.Add(matrix);
        return matrix;
    }

    private static float[] Values(Tensor x) => [.. x.detach().to(ScalarType.Float32).cpu().contiguous().data<float>()];

    /// <summary>A block: the factors of its norms, and its projections side by side.</summary>
    internal sealed record Layer(
        float[] AttentionNorm, PackedMatrix QueryKeyValue, PackedMatrix Output, float[]? QueryNorm, float[]? KeyNorm, float[] FeedForwardNorm, PackedMatrix GateUp, PackedMatrix Down);
}
