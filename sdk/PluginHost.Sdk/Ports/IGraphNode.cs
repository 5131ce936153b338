namespace PluginHost.Sdk;

/// <summary>
/// A built node of the graph. A node with weights also derives from <see cref="TorchSharp.torch.nn.Module"/>: its registered
/// parameters and buffers are what is trained, saved and moved. Called by one thread at a time, always inside a dispose scope of
/// the host's: outputs may stay in it, intermediate tensors need no disposal. The host disposes the node.
/// </summary>
public interface IGraphNode
{
    /// <summary>
    /// One forward pass. Values come and go in the order of the class's port attributes (variadic inputs last, in config order)
    /// as the CLR types listed at <see cref="InputAttribute"/>. Kinds implement this themselves and offer a typed method instead.
    /// </summary>
    /// <param name="inputs">One value per input; null for an optional input that is not wired.</param>
    /// <param name="outputs">To be filled, one value per output.</param>
    void Run(ReadOnlySpan<object?> inputs, Span<object?> outputs);
}
