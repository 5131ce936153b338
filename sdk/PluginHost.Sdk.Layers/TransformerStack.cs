using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>A stack of transformer blocks with a final norm: all of an encoder but its input.</summary>
public sealed class TransformerStack : nn.Module
{
    private readonly RmsNorm norm;

    /// <summary>Builds the stack.</summary>
    /// <param name="shape">Its numbers.</param>
    /// <param name="context">Says type and device.</param>
    public TransformerStack(BlockShape shape, BuildContext context) : base(nameof(TransformerStack))
    {
        Blocks = [.. Enumerable.Range(0, shape.Layers).Select(layer => new TransformerBlock(layer, shape, context))];
        register_module("layers", nn.ModuleList([.. Blocks]));
        norm = new RmsNorm(shape.Width, context);
        register_module(nameof(norm), norm);
    }

    /// <summary>The blocks, for towers that act between them.</summary>
    public IReadOnlyList<TransformerBlock> Blocks { get; }

    /// <summary>The final norm alone: [..., width] to the same.</summary>
    public Tensor Normalise(Tensor x) => norm.Forward(x);

    /// <summary>All blocks and the final norm: [batch, tokens, width] to the same.</summary>
    public Tensor Forward(Tensor x, AttentionPass pass)
    {
        foreach (var block in Blocks) x = block.Forward(x, pass);
        return norm.Forward(x);
    }
}
