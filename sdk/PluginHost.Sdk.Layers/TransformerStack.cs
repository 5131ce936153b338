using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>A stack of transformer blocks with a final norm: all of an encoder but its input.</summary>
public sealed class TransformerStack : nn.Module
{
    private readonly BlockShape shape;
    private readonly RmsNorm norm;

    /// <summary>Builds the stack.</summary>
    /// <param name="shape">Its numbers.</param>
    /// <param name="context">Says type and device.</param>
    public TransformerStack(BlockShape shape, BuildContext context) : base(nameof(TransformerStack))
    {
        this.shape = shape;
        Blocks = [.. Enumerable.Range(0, shape.Layers).Select(layer => new TransformerBlock(layer, shape, context))];
        register_module("layers", nn.ModuleList([.. Blocks]));
        norm = new RmsNorm(shape.Width, context, shape.NormEpsilon);
        register_module(nameof(norm), norm);
        Projections = [.. Blocks.SelectMany(block => block.Projections)];
        KeyValueSlots = [.. Blocks.Select(block => block.Slot)];
    }

    /// <summary>The blocks, for towers that act between them.</summary>
    public IReadOnlyList<TransformerBlock> Blocks { get; }

    /// <summary>The projections of all blocks: those of an <see cref="ITower"/>.</summary>
    public IReadOnlyList<Projection> Projections { get; }

    /// <summary>The slots of all blocks, in their order.</summary>
    public IReadOnlyList<KeyValueSlot> KeyValueSlots { get; }

    /// <summary>A tower of these blocks: <c>layers.3.attention.q_proj.weight</c> to <c>norm.weight</c> are views of what is stored, in the caller's dispose scope.</summary>
    /// <param name="kind">What the tower reads and gives.</param>
    /// <param name="others">The tensors of its input and of its pooled vector.</param>
    public TowerDescription Describe(TowerKind kind, IEnumerable<(string Name, Tensor Value)> others) =>
        shape.Describe(kind, [.. others, .. Blocks.SelectMany(block => block.Describe()), ("norm.weight", norm.Weight)]);

    /// <summary>The final norm alone: [..., width] to the same.</summary>
    public Tensor Normalise(Tensor x) => norm.Forward(x);

    /// <summary>All blocks and the final norm: [batch, tokens, width] to the same.</summary>
    public Tensor Forward(Tensor x, AttentionPass pass)
    {
        foreach (var block in Blocks) x = block.Forward(x, pass);
        return norm.Forward(x);
    }

    /// <summary>All blocks and the final norm over a text that reads other modalities: the fusion acts at the input and between the blocks.</summary>
    /// <param name="text">Embedded text [batch, tokens, width].</param>
    /// <param name="context">The fusion, or null.</param>
    /// <param name="prefix">The fusion's prefix; null when there is none or a cache holds it already.</param>
    /// <param name="pass">Mask and rotation are those of prefix and text together.</param>
    /// <returns>The text alone, [batch, tokens, width].</returns>
    public Tensor Forward(Tensor text, IFusionContext? context, Masked? prefix, AttentionPass pass)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (length, tokens) = (prefix?.Data.size(1) ?? 0, text.size(1));
        var x = context?.AtInput(text) ?? text;
        if (prefix is not null) x = cat([prefix.Data, x], 1);              // [batch, prefix + tokens, width]
        for (var layer = 0; layer < Blocks.Count; layer++)
        {
            x = Blocks[layer].Forward(x, pass);
            if (context is null) continue;
            var before = TextPart(x);
            var after = context.BetweenLayers(layer, before);
            if (!ReferenceEquals(after, before)) x = length == 0 ? after : cat([x.narrow(1, 0, length), after], 1);
        }
        return norm.Forward(TextPart(x));

        Tensor TextPart(Tensor all) => length == 0 ? all : all.narrow(1, length, tokens);
    }
}
