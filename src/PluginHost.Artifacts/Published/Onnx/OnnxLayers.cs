using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published.Onnx;

/// <summary>The layers of a described tower as operators.</summary>
internal sealed class OnnxLayers(OnnxGraph graph, TowerDescription tower)
{
    /// <summary>What a LayerNorm before a pooled mean adds to the variance.</summary>
    public const double PooledEpsilon = 1e-5;

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
        x = graph.Op("Add", x, Attention(Norm(x, $"layers.{layer}.attention_norm"), $"layers.{layer}.attention", mask, turns));
        return graph.Op("Add", x, FeedForward(Norm(x, $"layers.{layer}.feed_forward_norm"), $"layers.{layer}.feed_forward"));
    }

    /// <summary>Attention of all tokens to all: [batch, tokens, width] to the same.</summary>
    /// <param name="x">Normalised tokens.</param>
    /// <param name="name">Its dotted name: <c>layers.3.attention</c>.</param>
    /// <param name="mask">Numbers added to the scores; null: none.</param>
    /// <param name="turns">Cosine and sine of the positions; null: none.</param>
    public string Attention(string x, string name, string? mask, (string Cosine, string Sine)? turns)
    {
        var (query, keys) = (Heads(Linear(x, $"{name}.q_proj")), Heads(Linear(x, $"{name}.k_proj")));
        if (turns is { } angles) (query, keys) = (Turn(query, angles), Turn(keys, angles));
        return Linear(Attend(query, keys, Heads(Linear(x, $"{name}.v_proj")), mask), $"{name}.o_proj");
    }

    /// <summary>What is added to the scores of attention to tokens that are not all real.</summary>
    /// <param name="real">1 where there is a token, 0 elsewhere: [batch, length].</param>
    /// <returns>[batch, 1, 1, length].</returns>
    public string Hidden(string real)
    {
        // A row of padding alone sees all of it, which keeps its numbers finite.
        var seen = graph.Op("Or", graph.Op("Cast", [real], ("to", 9L)), graph.Op("Equal", Count(real), graph.Number(0)));
        return graph.Op("Unsqueeze", graph.Op("Where", seen, graph.Number(0), graph.Number(-1e9)), graph.Integers(1, 2));
    }

    /// <summary>The mean of the real tokens, normalised and mapped; zero for a row without any.</summary>
    /// <param name="x">[batch, length, width].</param>
    /// <param name="real">[batch, length].</param>
    /// <returns>[batch, pooled].</returns>
    public string PooledMean(string x, string real)
    {
        var (count, sum) = (Count(real), graph.Op("ReduceSum", [graph.Op("Mul", x, graph.Op("Unsqueeze", real, graph.Integers(2))), graph.Integers(1)], ("keepdims", 0L)));
        var mean = graph.Op("Div", sum, graph.Op("Max", count, graph.Number(1)));
        return graph.Op("Mul", Linear(Norm(mean, "pooled.norm", PooledEpsilon), "pooled.proj"), graph.Op("Min", count, graph.Number(1)));
    }

    /// <summary>Pixels in 0..1 as the tower wants them: [batch, channels, ...] to the same.</summary>
    public string Pixels(string x)
    {
        return graph.Op("Div", graph.Op("Sub", x, Channels("mean", tower.PixelMean)), Channels("deviation", tower.PixelDeviation));

        string Channels(string name, IReadOnlyList<double> values) => graph.Weight(name, Everywhere(tensor(values.ToArray()), Tensor("patches.weight").dim() - 2));
    }

    /// <summary>A convolution of the stem over three neighbours along each dimension, with zeros around.</summary>
    public string Convolve(string x, int layer, params long[] strides) => graph.Op("Conv", [x, Weight($"stem.{layer}.kernel")],
        ("kernel_shape", Repeated(3, strides.Length)), ("strides", strides), ("pads", Repeated(1, 2 * strides.Length)));

    /// <summary>Group norm and GELU of the stem, each picture by itself: [batch, channels, height, width], or [batch, frames, channels, height, width], to the same.</summary>
    public string Normalise(string x, int layer, long frames = 1)
    {
        var channels = Tensor($"stem.{layer}.weight").size(0);
        // A group norm is an instance norm over its groups, and one factor a channel.
        var groups = frames * (channels % 4 == 0 ? 4 : 1);
        var grouped = graph.Op("Reshape", x, graph.Integers(0, groups, -1));
        var normal = graph.Op("InstanceNormalization", [grouped, graph.Weight($"stem.{layer}.ones", ones(groups)), graph.Weight($"stem.{layer}.zeros", zeros(groups))], ("epsilon", 1e-5f));
        var scaled = graph.Op("Mul", graph.Op("Reshape", normal, graph.Op("Shape", x)), graph.Weight($"stem.{layer}.weight", Everywhere(Tensor($"stem.{layer}.weight"), 2)));
        return Gelu(graph.Op("Add", scaled, graph.Weight($"stem.{layer}.bias", Everywhere(Tensor($"stem.{layer}.bias"), 2))));
    }

    /// <summary>The linear map of each patch: [batch, channels, ...] to [batch, tokens, width].</summary>
    public string Patches(string x)
    {
        var size = Tensor("patches.weight").shape[2..];
        x = graph.Op("Conv", [x, Weight("patches.weight"), .. Has("patches.bias") ? new[] { Weight("patches.bias") } : []], ("kernel_shape", size), ("strides", size));
        return Transpose(graph.Op("Reshape", x, graph.Integers(0, 0, -1)), 0, 2, 1);
    }

    /// <summary>The dimensions in another order.</summary>
    public string Transpose(string x, params long[] order) => graph.Op("Transpose", [x], ("perm", order));

    /// <summary>[batch, tokens, width] to [batch, heads, tokens, head width].</summary>
    public string Heads(string x) => Transpose(graph.Op("Reshape", x, graph.Integers(0, 0, tower.Heads, tower.HeadWidth)), 0, 2, 1, 3);

    /// <summary>Scaled dot-product attention; the heads side by side again.</summary>
    public string Attend(string query, string keys, string values, string? mask)
    {
        var scores = graph.Op("Mul", graph.Op("MatMul", query, Transpose(keys, 0, 1, 3, 2)), graph.Number(1 / Math.Sqrt(tower.HeadWidth)));
        if (mask is not null) scores = graph.Op("Add", scores, mask);
        var attended = graph.Op("MatMul", graph.Op("Softmax", [scores], ("axis", -1L)), values);
        return graph.Op("Reshape", Transpose(attended, 0, 2, 1, 3), graph.Integers(0, 0, tower.Heads * tower.HeadWidth));
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

    // How many tokens of a row are real: [batch, 1].
    private string Count(string real) => graph.Op("ReduceSum", [real, graph.Integers(1)], ("keepdims", 1L));

    // A number a channel, for so many dimensions behind the channels.
    private static Tensor Everywhere(Tensor channels, long dimensions) => channels.view([channels.size(0), .. Repeated(1, dimensions)]);

    private static long[] Repeated(long value, long count) => [.. Enumerable.Repeat(value, (int)count)];

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
