using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published.Onnx;

/// <summary>
/// Writes each encoder of a run as an ONNX file of its own, operator set 17. Pictures: <c>pixels</c> [batch, channels, height, width] in 0..1; text: <c>ids</c> and <c>mask</c> [batch,
/// length]; sound: <c>samples</c> and <c>mask</c> [batch, samples]; videos: <c>frames</c> [batch, frames, channels, height, width] in 0..1 and <c>mask</c> [batch, frames], as many frames as
/// the run has. All give <c>tokens</c> and <c>pooled</c>.
/// </summary>
public static class OnnxExport
{
    /// <summary>Writes the files.</summary>
    /// <returns>Their names, and which encoders have none.</returns>
    /// <exception cref="UserErrorException">There is no encoder, or none that can be written; the message says why.</exception>
    public static ExportedFiles Write(ExportedRun run, string folder)
    {
        var encoders = run.Nodes.Where(node => node.Plan.Description.Kind == "encoder").ToArray();
        if (encoders.Length == 0) throw new UserErrorException($"the run '{run.Folder.Name}' has no encoder; its decoder can be exported with --format huggingface or gguf.");
        using var scope = NewDisposeScope();
        // All are looked at before the first is written.
        var (graphs, leftOut) = (new List<(string File, OnnxGraph Graph)>(), new List<string>());
        foreach (var node in encoders)
        {
            try
            {
                graphs.Add(($"{node.Name}.onnx", Graph(run, node)));
            }
            catch (UserErrorException error)
            {
                leftOut.Add(error.Message);
            }
        }
        if (graphs.Count == 0) throw new UserErrorException(string.Join('\n', leftOut));
        Directory.CreateDirectory(folder);
        foreach (var (file, graph) in graphs) graph.Write(Path.Combine(folder, file));
        return new ExportedFiles([.. graphs.Select(item => item.File)], leftOut);
    }

    private static OnnxGraph Graph(ExportedRun run, BuiltNode node)
    {
        if (node.Plan.Inputs.FirstOrDefault(input => input.Name == "context" && input.Source is not null) is { } context)
            throw new UserErrorException($"the encoder '{node.Name}' reads '{context.Source}', and an ONNX file holds one encoder alone.");
        return Graph(node.Name, run.Describe(node), node.Plan.Inputs[0].Shape.Values);
    }

    /// <summary>An encoder as a graph.</summary>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="tower">What it is made of.</param>
    /// <param name="shape">Of pictures: batch, channels, height, width. Of videos: batch, frames, channels, height, width.</param>
    internal static OnnxGraph Graph(string name, TowerDescription tower, IReadOnlyList<long?> shape)
    {
        if (tower.KeyValueHeads != tower.Heads) throw new UserErrorException($"the encoder '{name}' shares key/value heads, which is not written to ONNX.");
        var graph = new OnnxGraph(name);
        var layers = new OnnxLayers(graph, tower);
        if (tower.Kind == TowerKind.TextEncoder) Text(graph, layers, tower);
        else if (tower.Kind == TowerKind.PictureEncoder) Pictures(graph, layers, tower, shape);
        else if (tower.Kind == TowerKind.SoundEncoder) Sound(graph, layers, tower);
        else if (tower.Kind == TowerKind.VideoEncoder) Videos(graph, layers, tower, shape);
        else throw new UserErrorException($"'{name}' is no encoder of text, pictures, sound or videos.");
        return graph;
    }

    private static void Pictures(OnnxGraph graph, OnnxLayers layers, TowerDescription tower, IReadOnlyList<long?> shape)
    {
        var x = graph.Input("pixels", ScalarType.Float32, "batch", shape[1]!, shape[2]!, shape[3]!);
        x = layers.Pixels(x);
        for (var layer = 0; layers.Has($"stem.{layer}.kernel"); layer++) x = layers.Normalise(layer == 0 ? layers.Convolve(x, layer, 1, 1) : layers.Convolve(x, layer, 2, 2), layer);
        x = layers.Patches(x);  // [batch, tokens, width]
        var first = layers.Has("class_token") ? 1L : 0;
        if (first == 1)
        {
            var batch = graph.Op("Gather", graph.Op("Shape", x), graph.Integers(0));
            var token = graph.Weight("class_token", layers.Tensor("class_token").view(1, 1, -1));
            x = graph.Op("Concat", [graph.Op("Expand", token, graph.Op("Concat", [batch, graph.Integers(1, 1)], ("axis", 0L))), x], ("axis", 1L));
        }
        x = graph.Op("Add", x, layers.Weight("positions"));
        if (layers.Has("input_norm.weight")) x = layers.Norm(x, "input_norm");
        var (tokens, final) = Stack(x, layers, tower, null, null);
        if (first == 1) tokens = layers.Slice(tokens, 1, int.MaxValue, 1);
        graph.Output("tokens", tokens, "batch", layers.Tensor("positions").size(0) - first, tower.Width);
        var mean = first == 0 && !layers.Has("pooled.probe");
        var pooled = layers.Has("pooled.probe") ? Attention(final) : mean ? graph.Op("ReduceMean", [final], ("axes", new[] { 1L }), ("keepdims", 0L)) : graph.Op("Gather", [final, graph.Index(0)], ("axis", 1L));
        if (mean) pooled = layers.Norm(pooled, "pooled.norm", OnnxLayers.PooledEpsilon);
        graph.Output("pooled", layers.Has("pooled.proj.weight") ? layers.Linear(pooled, "pooled.proj") : pooled, "batch", layers.Has("pooled.proj.weight") ? layers.Tensor("pooled.proj.weight").size(0) : tower.Width);

        string Attention(string all)
        {
            var width = tower.Width;
            var maps = layers.Linear(all, "pooled.attention.in_proj");
            // The learnt query is the same for every picture: its map is a constant.
            var (weight, bias) = (layers.Tensor("pooled.attention.in_proj.weight"), layers.Tensor("pooled.attention.in_proj.bias"));
            var query = nn.functional.linear(layers.Tensor("pooled.probe").view(1, 1, width), weight.narrow(0, 0, width), bias.narrow(0, 0, width));
            var attended = layers.Attend(layers.Heads(graph.Weight("pooled.query", query)), layers.Heads(layers.Slice(maps, width, 2 * width, 2)), layers.Heads(layers.Slice(maps, 2 * width, 3 * width, 2)), null);
            var y = graph.Op("Gather", [layers.Linear(attended, "pooled.attention.out_proj"), graph.Index(0)], ("axis", 1L));
            return graph.Op("Add", y, layers.FeedForward(layers.Norm(y, "pooled.norm"), "pooled"));
        }
    }

    private static void Text(OnnxGraph graph, OnnxLayers layers, TowerDescription tower)
    {
        var ids = graph.Input("ids", ScalarType.Int64, "batch", "length");
        var mask = graph.Input("mask", ScalarType.Bool, "batch", "length");
        Sequence(graph, layers, tower, graph.Op("Gather", layers.Weight("embedding.weight"), ids), graph.Op("Cast", [mask], ("to", 1L)), "length");
    }

    private static void Sound(OnnxGraph graph, OnnxLayers layers, TowerDescription tower)
    {
        var samples = graph.Input("samples", ScalarType.Float32, "batch", "samples");
        var mask = graph.Op("Cast", [graph.Input("mask", ScalarType.Bool, "batch", "samples")], ("to", 1L));
        var window = layers.Tensor("spectrogram.window").size(0);
        var padded = graph.Op("Pad", graph.Op("Mul", samples, mask), graph.Integers(0, window / 2, 0, window / 2));
        var spectrum = graph.Op("STFT", [graph.Op("Unsqueeze", padded, graph.Integers(2)), graph.Index(tower.Hop), layers.Weight("spectrogram.window"), graph.Index(window)], ("onesided", 1L));
        var power = graph.Op("ReduceSum", [graph.Op("Mul", spectrum, spectrum), graph.Integers(3)], ("keepdims", 0L));            // [batch, frames or one more, frequencies]
        // A frame or token is real if the sample or frame in its middle is.
        var real = layers.Every(mask, tower.Hop);                                                                               // [batch, frames]
        var frames = graph.Op("Slice", power, graph.Integers(0), graph.Op("Gather", graph.Op("Shape", real), graph.Integers(1)), graph.Integers(1));
        var mel = graph.Op("MatMul", frames, graph.Weight("spectrogram.filters", layers.Tensor("spectrogram.filters").t()));    // [batch, frames, bands]
        var logarithm = graph.Op("Div", graph.Op("Log", graph.Op("Max", mel, graph.Number(1e-10))), graph.Number(Math.Log(10)));
        var floor = graph.Op("Sub", graph.Op("ReduceMax", [logarithm], ("axes", new[] { 1L, 2 }), ("keepdims", 1L)), graph.Number(8));
        var scaled = graph.Op("Div", graph.Op("Add", graph.Op("Max", logarithm, floor), graph.Number(4)), graph.Number(4));
        var x = layers.Transpose(scaled, 0, 2, 1);                                                                              // [batch, bands, frames]
        for (var i = 0; i < tower.Strides.Count; i++)
        {
            x = graph.Op("Mul", x, graph.Op("Unsqueeze", real, graph.Integers(1)));
            x = layers.Gelu(graph.Op("Conv", [x, layers.Weight($"convolutions.{i}.weight"), layers.Weight($"convolutions.{i}.bias")],
                ("kernel_shape", new[] { 3L }), ("strides", new[] { tower.Strides[i] }), ("pads", new[] { 1L, 1 })));
            real = layers.Every(real, tower.Strides[i]);
        }
        Sequence(graph, layers, tower, layers.Transpose(x, 0, 2, 1), real, "tokens");
    }

    private static void Videos(OnnxGraph graph, OnnxLayers layers, TowerDescription tower, IReadOnlyList<long?> shape)
    {
        var (frames, tube, width) = (shape[1]!.Value, layers.Tensor("patches.weight").size(2), tower.Width);
        var (times, places) = (frames / tube, layers.Tensor("positions").size(0) / (frames / tube));
        var x = graph.Input("frames", ScalarType.Float32, "batch", frames, shape[2]!, shape[3]!, shape[4]!);
        var mask = graph.Op("Cast", [graph.Input("mask", ScalarType.Bool, "batch", frames)], ("to", 1L));
        // An absent frame is zero before each convolution, whatever stands in its place.
        var there = graph.Op("Unsqueeze", mask, graph.Integers(1, 3, 4));                                  // [batch, 1, frames, 1, 1]
        x = graph.Op("Mul", layers.Pixels(Swap(x, 5)), there);                                             // [batch, channels, frames, height, width]
        for (var layer = 0; layer < tower.Strides.Count; layer++)
        {
            var convolved = layers.Convolve(x, layer, 1, tower.Strides[layer], tower.Strides[layer]);
            x = graph.Op("Mul", Swap(layers.Normalise(Swap(convolved, 5), layer, frames), 5), there);
        }
        x = graph.Op("Add", layers.Patches(x), layers.Weight("positions"));                                // [batch, times * places, width]
        x = graph.Op("Reshape", x, graph.Integers(0, times, places, width));
        // A tube is there if one of its frames is.
        var real = graph.Op("ReduceMax", [graph.Op("Reshape", mask, graph.Integers(0, times, tube))], ("axes", new[] { 2L }), ("keepdims", 0L));  // [batch, times]
        var scores = graph.Op("Expand", graph.Op("Unsqueeze", layers.Hidden(real), graph.Integers(1)), graph.Integers(1, places, 1, 1, 1));
        scores = graph.Op("Reshape", scores, graph.Integers(-1, 1, 1, times));                             // [batch * places, 1, 1, times]
        for (var layer = 0; layer < tower.Layers; layer++)
        {
            var columns = graph.Op("Reshape", Swap(layers.Norm(x, $"layers.{layer}.time_norm"), 4), graph.Integers(-1, times, width));
            var overTime = graph.Op("Reshape", layers.Attention(columns, $"layers.{layer}.time", scores, null), graph.Integers(-1, places, times, width));
            x = graph.Op("Add", x, Swap(overTime, 4));
            var grids = graph.Op("Reshape", layers.Norm(x, $"layers.{layer}.space_norm"), graph.Integers(-1, places, width));
            x = graph.Op("Add", x, graph.Op("Reshape", layers.Attention(grids, $"layers.{layer}.space", null, null), graph.Integers(-1, times, places, width)));
            x = graph.Op("Add", x, layers.FeedForward(layers.Norm(x, $"layers.{layer}.feed_forward_norm"), $"layers.{layer}.feed_forward"));
        }
        var tokens = layers.Norm(graph.Op("Reshape", x, graph.Integers(0, times * places, width)), "norm");
        graph.Output("tokens", tokens, "batch", times * places, width);
        var each = graph.Op("Reshape", graph.Op("Expand", graph.Op("Unsqueeze", real, graph.Integers(2)), graph.Integers(1, 1, places)), graph.Integers(0, -1));  // [batch, times * places]
        graph.Output("pooled", layers.PooledMean(tokens, each), "batch", layers.Tensor("pooled.proj.weight").size(0));

        // The second and the third dimension change places.
        string Swap(string value, int dimensions) => layers.Transpose(value, [0, 2, 1, .. dimensions == 5 ? new[] { 3L, 4 } : [3L]]);
    }

    /// <summary>What comes after the input of text and of sound.</summary>
    /// <param name="graph">What it becomes part of.</param>
    /// <param name="layers">The tower's layers.</param>
    /// <param name="tower">The tower.</param>
    /// <param name="x">[batch, length, width].</param>
    /// <param name="real">1 where there is a token, 0 elsewhere: [batch, length].</param>
    /// <param name="length">Name of the dimension.</param>
    private static void Sequence(OnnxGraph graph, OnnxLayers layers, TowerDescription tower, string x, string real, string length)
    {
        var (tokens, final) = Stack(x, layers, tower, layers.Hidden(real), tower.RotaryBase is { } rotary ? Angles(rotary) : null);
        graph.Output("tokens", tokens, "batch", length, tower.Width);
        graph.Output("pooled", layers.PooledMean(final, real), "batch", layers.Tensor("pooled.proj.weight").size(0));

        (string Cosine, string Sine) Angles(double rotary)
        {
            var half = tower.HeadWidth / 2;
            var frequencies = graph.Weight("frequencies", pow(rotary, arange(half, dtype: ScalarType.Float64) * (-1.0 / half)).view(1, half));
            var size = graph.Op("Gather", graph.Op("Shape", real), graph.Index(1));
            var positions = graph.Op("Cast", [graph.Op("Range", graph.Index(0), size, graph.Index(1))], ("to", 1L));
            var angles = graph.Op("Mul", graph.Op("Unsqueeze", positions, graph.Integers(1)), frequencies);    // [length, half]
            return (graph.Op("Cos", angles), graph.Op("Sin", angles));
        }
    }

    /// <returns>The tokens that the encoder gives, and what its pooled vector is made of.</returns>
    private static (string Tokens, string Final) Stack(string x, OnnxLayers layers, TowerDescription tower, string? mask, (string, string)? turns)
    {
        var taken = x;
        for (var layer = 0; layer < tower.Layers; layer++)
        {
            x = layers.Block(x, layer, mask, turns);
            if (layer == tower.TokenLayers - 1) taken = x;
        }
        if (layers.Has("norm.weight")) x = layers.Norm(x, "norm");
        return (tower.TokenLayers is null ? x : taken, x);
    }
}
