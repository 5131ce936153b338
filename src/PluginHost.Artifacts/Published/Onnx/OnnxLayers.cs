using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published.Onnx;

/// <summary>The layers of a described tower as operators.</summary>
internal sealed class OnnxLayers(OnnxGraph graph, TowerDescription tower)
{
    public bool Has(string name) => tower.Tensors.ContainsKey(name);

    public Tensor Tensor(string name) => tower.Tensors[name];

    public string Weight(string name) => graph.Weight(name, tower.Tensors[name]);

    /// <summary><c>x Wᵀ (+ b)</c>.</summary>
    public string Linear(string x, string name)
    {
        var product = graph.Op("MatMul", x, graph.Weight($"{name}.weight", tower.Tensors[$"{name}.weight"].t()));
        return Has($"{name}.bias") ? graph.Op("Add", product, Weight($"{name}.bias")) : product;
    }

    /// <summary>A LayerNorm where there is a bias, an RMSNorm where there is none.</summary>
    public string Norm(string x, string name, double? epsilon = null)
    {
        var small = epsilon ?? tower.NormEpsilon;
        if (Has($"{name}.bias")) return graph.Op("LayerNormalization", [x, Weight($"{name}.weight"), Weight($"{name}.bias")], ("axis", -1L), ("epsilon", (float)small));
        var mean = graph.Op("ReduceMean", [graph.Op("Mul", x, x)], ("axes", new[] { -1L }), ("keepdims", 1L));
        return graph.Op("Mul", graph.Op("Div", x, graph.Op("Sqrt", graph.Op("Add", mean, graph.Number(small)))), Weight($"{name}.weight"));
    }

    /// <summary>One block: [batch, tokens, width] to the same.</summary>
    /// <param name="x">Its input.</param>
    /// <param name="layer">Its index.</param>
    /// <param name="mask">Numbers added to the scores; null: none.</param>
    /// <param name="turns">Cosine and sine of the positions; null: none.</param>
    public string Block(string x, int layer, string? mask, (string Cosine, string Sine)? turns)
    {
        var normal = Norm(x, $"layers.{layer}.attention_norm");
        var prefix = $"layers.{layer}.attention";
        var (query, keys) = (Heads(Linear(normal, $"{prefix}.q_proj")), Heads(Linear(normal, $"{prefix}.k_proj")));
        if (turns is { } angles) (query, keys) = (Turn(query, angles), Turn(keys, angles));
        x = graph.Op("Add", x, Linear(Attend(query, keys, Heads(Linear(normal, $"{prefix}.v_proj")), mask), $"{prefix}.o_proj"));
        return graph.Op("Add", x, FeedForward(Norm(x, $"layers.{layer}.feed_forward_norm"), $"layers.{layer}.feed_forward"));
    }

    /// <summary>[batch, tokens, width] to [batch, heads, tokens, head width].</summary>
    public string Heads(string x) => graph.Op("Transpose", [graph.Op("Reshape", x, graph.Integers(0, 0, tower.Heads, tower.HeadWidth))], ("perm", new[] { 0L, 2, 1, 3 }));

    /// <summary>Scaled dot-product attention; the heads side by side again.</summary>
    public string Attend(string query, string keys, string values, string? mask)
    {
        var scores = graph.Op("Mul", graph.Op("MatMul", query, graph.Op("Transpose", [keys], ("perm", new[] { 0L, 1, 3, 2 }))), graph.Number(1 / Math.Sqrt(tower.HeadWidth)));
        if (mask is not null) scores = graph.Op("Add", scores, mask);
        var attended = graph.Op("MatMul", graph.Op("Softmax", [scores], ("axis", -1L)), values);
        return graph.Op("Reshape", graph.Op("Transpose", [attended], ("perm", new[] { 0L, 2, 1, 3 })), graph.Integers(0, 0, tower.Heads * tower.HeadWidth));
    }

    /// <summary>The feed-forward layer under a prefix: <c>prefix.fc1</c> or <c>prefix.gate_proj</c> and so on.</summary>
    public string FeedForward(string x, string prefix)
    {
        if (tower.Activation != TowerActivation.GatedSilu) return Linear(Activate(Linear(x, $"{prefix}.fc1")), $"{prefix}.fc2");
        var gate = Linear(x, $"{prefix}.gate_proj");
        return Linear(graph.Op("Mul", graph.Op("Mul", gate, graph.Op("Sigmoid", gate)), Linear(x, $"{prefix}.up_proj")), $"{prefix}.down_proj");
    }

    /// <summary><c>x Φ(x)</c> by the error function.</summary>
    public string Gelu(string x)
    {
        var half = graph.Op("Mul", x, graph.Number(0.5));
        return graph.Op("Mul", half, graph.Op("Add", graph.Op("Erf", graph.Op("Mul", x, graph.Number(Math.Sqrt(0.5)))), graph.Number(1)));
    }

    private string Activate(string x)
    {
        if (tower.Activation == TowerActivation.Gelu) return Gelu(x);
        if (tower.Activation == TowerActivation.QuickGelu) return graph.Op("Mul", x, graph.Op("Sigmoid", graph.Op("Mul", x, graph.Number(1.702))));
        var cube = graph.Op("Mul", graph.Op("Mul", x, x), graph.Op("Mul", x, graph.Number(0.044715)));
        var tanh = graph.Op("Tanh", graph.Op("Mul", graph.Op("Add", x, cube), graph.Number(Math.Sqrt(2 / Math.PI))));
        return graph.Op("Mul", graph.Op("Mul", x, graph.Number(0.5)), graph.Op("Add", tanh, graph.Number(1)));
    }

    // The first half of a head is turned against the second.
    private string Turn(string x, (string Cosine, string Sine) angles)
    {
        var half = tower.HeadWidth / 2;
        var (first, second) = (Slice(x, 0, half, 3), Slice(x, half, 2 * half, 3));
        var left = graph.Op("Sub", graph.Op("Mul", first, angles.Cosine), graph.Op("Mul", second, angles.Sine));
        var right = graph.Op("Add", graph.Op("Mul", second, angles.Cosine), graph.Op("Mul", first, angles.Sine));
        return graph.Op("Concat", [left, right], ("axis", 3L));
    }

    /// <summary>A part of a dimension.</summary>
    public string Slice(string x, long begin, long end, long axis) => graph.Op("Slice", x, graph.Integers(begin), graph.Integers(end), graph.Integers(axis));

    /// <summary>Of [batch, length] the first of every few numbers.</summary>
    public string Every(string x, long step) => step == 1 ? x : graph.Op("Slice", x, graph.Integers(0), graph.Integers(int.MaxValue), graph.Integers(1), graph.Integers(step));
}
