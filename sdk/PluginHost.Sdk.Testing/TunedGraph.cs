using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>
/// A small graph to tune: the tower <c>image</c> and the decoder <c>decoder</c> of two layers each, with grouped key/value heads, and an objective with a scale.
/// Built from its seed, so that two of one seed are alike.
/// </summary>
public sealed class TunedGraph : IDisposable
{
    private const long Width = 16;

    private readonly FakeTower image;
    private readonly FakeDecoder decoder;
    private readonly Parameter scale;

    /// <summary>Builds the graph.</summary>
    /// <param name="seed">Makes its weights.</param>
    public TunedGraph(long seed = 3)
    {
        random.manual_seed(seed);
        (image, decoder) = (new FakeTower(Width, false), new FakeDecoder(Width));
        scale = (Parameter)new Parameter(ones(1)).DetachFromDisposeScope();
        Nodes =
        [
            new TunedNode("image", [.. image.named_parameters().Select(item => ($"image.{item.name}", item.parameter))], image),
            new TunedNode("decoder", [.. decoder.named_parameters().Select(item => ($"decoder.{item.name}", item.parameter))], decoder),
            new TunedNode("objectives.align", [("objectives.align.scale", scale)], null),
        ];
    }

    /// <summary>The graph as a tuning sees it.</summary>
    public IReadOnlyList<TunedNode> Nodes { get; }

    /// <summary>The decoder.</summary>
    public IDecoder Decoder => decoder;

    /// <summary>All parameters by name.</summary>
    public IEnumerable<(string Name, Parameter Value)> Parameters => Nodes.SelectMany(node => node.Parameters);

    /// <summary>A batch of three rows, of which the first holds a picture, the second a sound and the third both.</summary>
    public static BatchMedia Media => new(3, new Dictionary<string, Tensor> { ["image"] = tensor([true, false, true]), ["audio"] = tensor(new[,] { { false, false }, { true, false }, { true, true } }) });

    /// <summary>What a tuning is begun with.</summary>
    /// <param name="surroundings">Device, seed and logger.</param>
    public TuningContext Context(BuildContext surroundings) => new(surroundings, Nodes) { Modalities = ["image", "audio"] };

    /// <summary>What the graph makes of a batch with adapters: pictures' tokens beside the logits of a text, [3, 5, 36].</summary>
    public Tensor Run(AdapterSet adapters)
    {
        random.manual_seed(11);
        var (pictures, text) = (randn(3, 5, Width), Values.Text(tensor([1L, 5, 2, 7, 3, 4, 4, 0, 9, 1, 6, 2, 8, 5, 3], [3, 5])));
        using var _ = AdapterSet.Use(adapters);
        return cat([image.Forward(pictures, null), decoder.Forward(text, null, null)], -1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        image.Dispose();
        decoder.Dispose();
        scale.Dispose();
    }
}

/// <summary>Two layers of attention and a linear map; 4 query heads share 2 key/value heads.</summary>
internal class FakeTower : nn.Module, ITower
{
    private const long Heads = 4;
    private const long KeyHeads = 2;
    private readonly long width;
    private readonly bool causal;
    private readonly Layer[] layers;

    public FakeTower(long width, bool causal) : base(nameof(FakeTower))
    {
        (this.width, this.causal) = (width, causal);
        layers = [.. Enumerable.Range(0, 2).Select(i => new Layer($"layers.{i}", width))];
        register_module(nameof(layers), nn.ModuleList(layers));
        Projections = [.. layers.SelectMany(layer => layer.Projections)];
        KeyValueSlots = [.. layers.Select(layer => layer.Slot)];
    }

    public IReadOnlyList<Projection> Projections { get; }

    public IReadOnlyList<KeyValueSlot> KeyValueSlots { get; }

    public Tensor Forward(Tensor x, KeyValueCache? cache)
    {
        for (var i = 0; i < layers.Length; i++) x = layers[i].Forward(x, causal, i, cache);
        cache?.Advance(x.size(1));
        return x;
    }

    protected KeyValueCache CreateCacheOf(int batch, int capacity) => new(layers.Length, batch, KeyHeads, capacity, width / Heads, ScalarType.Float32, CPU);

    private sealed class Layer : nn.Module
    {
        private readonly long headWidth;

        public Layer(string name, long width) : base(nameof(Layer))
        {
            headWidth = width / Heads;
            var attention = Stored("qkv", [2 * width, width]);
            Projections =
            [
                new Projection($"{name}.attention.q_proj", attention, 0, width), new Projection($"{name}.attention.k_proj", attention, width, width / 2),
                new Projection($"{name}.attention.v_proj", attention, width * 3 / 2, width / 2), new Projection($"{name}.feed_forward.down_proj", Stored("down_proj", [width, width]), 0, width),
            ];
            Slot = new KeyValueSlot($"{name}.attention", KeyHeads, headWidth);
        }

        public IReadOnlyList<Projection> Projections { get; }

        public KeyValueSlot Slot { get; }

        public Tensor Forward(Tensor x, bool causal, int layer, KeyValueCache? cache)
        {
            var (query, keys, values) = (Split(Apply(0, x)), Split(Apply(1, x)), Split(Apply(2, x)));
            if (cache is not null) (keys, values) = cache.Append(layer, keys, values);
            var (queries, count) = (x.size(1), keys.size(2));
            var mask = causal ? zeros(queries, count).masked_fill_(ones(queries, count, dtype: ScalarType.Bool).tril(count - queries).logical_not(), double.NegativeInfinity) : zeros(queries, count);
            mask = mask.unsqueeze(0).unsqueeze(0).expand(x.size(0), -1, -1, -1);
            if (Slot.Content is { } extra)
            {
                var seen = extra.Mask ?? ones(x.size(0), extra.Length, dtype: ScalarType.Bool);
                var before = zeros(x.size(0), extra.Length).masked_fill_(seen.logical_not(), double.NegativeInfinity).unsqueeze(1).unsqueeze(1).expand(-1, -1, queries, -1);
                mask = cat([before, mask], 3);
                keys = cat([extra.Keys.unsqueeze(0).expand(x.size(0), -1, -1, -1), keys], 2);
                values = cat([extra.Values.unsqueeze(0).expand(x.size(0), -1, -1, -1), values], 2);
            }
            var attended = nn.functional.scaled_dot_product_attention(query, keys.repeat_interleave(Heads / KeyHeads, 1), values.repeat_interleave(Heads / KeyHeads, 1), mask);
            x += attended.transpose(1, 2).reshape(x.size(0), queries, -1);
            return x + Apply(3, x.tanh());
        }

        private Tensor Split(Tensor x) => x.view(x.size(0), x.size(1), -1, headWidth).transpose(1, 2);  // [batch, heads, tokens, head width]

        private Tensor Apply(int index, Tensor x)
        {
            var projection = Projections[index];
            var output = nn.functional.linear(x, projection.Weight.narrow(0, projection.FirstRow, projection.Rows));
            return projection.Adapter is { } adapter ? output + adapter.Delta(x) : output;
        }

        private Parameter Stored(string name, long[] shape)
        {
            var stored = (Parameter)new Parameter(randn(shape) * 0.25).DetachFromDisposeScope();
            register_parameter(name, stored);
            return stored;
        }
    }
}

/// <summary>The tower over embedded ids; not rotated, so that a prefix needs no positions.</summary>
internal sealed class FakeDecoder : FakeTower, IDecoder
{
    private const long Vocabulary = 20;
    private readonly Parameter embedding;

    public FakeDecoder(long width) : base(width, true)
    {
        embedding = (Parameter)new Parameter(randn(Vocabulary, width)).DetachFromDisposeScope();
        register_parameter(nameof(embedding), embedding);
    }

    public KeyValueCache CreateCache(int batch, int capacity) => CreateCacheOf(batch, capacity);

    public Tensor Forward(TextBatch text, IFusionContext? context, KeyValueCache? cache) =>
        nn.functional.linear(Forward(embedding.index_select(0, text.Ids.reshape(-1)).view(text.Ids.size(0), text.Ids.size(1), -1), cache), embedding);
}
