namespace PluginHost.Runs.Profiling;

/// <summary>Where the time and the memory of some training steps went.</summary>
public sealed record ProfileFigures
{
    /// <summary>Steps measured.</summary>
    public required int Steps { get; init; }

    /// <summary>Seconds that the steps took, from asking for their data to the weights' update.</summary>
    public required double Seconds { get; init; }

    /// <summary>Seconds in which the step waited for its batches.</summary>
    public required double DataWait { get; init; }

    /// <summary>Seconds of the optimizer, with the norm and the clipping of the gradients.</summary>
    public required double Optimizer { get; init; }

    /// <summary>Nodes, then objectives (<c>objectives.caption</c>), in the order of the forward pass.</summary>
    public required IReadOnlyList<NodeFigures> Nodes { get; init; }

    /// <summary>The products of linear maps that occurred.</summary>
    public required IReadOnlyList<MatrixShape> Shapes { get; init; }

    /// <summary>The most that forward and backward passes held at once beyond what was there when their step began, in bytes; null where the C library does not say.</summary>
    public required long? Activations { get; init; }

    /// <summary>Forward and backward passes of the nodes and objectives.</summary>
    public double Compute => Nodes.Sum(node => node.Forward + node.Backward);

    /// <summary>What is left: the boundary of the plugins, the graph, and the trainer's bookkeeping.</summary>
    public double Rest => Seconds - DataWait - Optimizer - Compute;

    /// <summary>Multiplications and additions of the model: see <see cref="NodeFigures.Operations"/>.</summary>
    public double Operations => Nodes.Sum(node => node.Operations);
}

/// <summary>A node's part.</summary>
/// <param name="Name">The node; an objective's begins with <c>objectives.</c></param>
/// <param name="Forward">Seconds of its forward passes.</param>
/// <param name="Backward">Seconds of the backward pass from the moment in which its output's gradient arrived.</param>
/// <param name="Operations">
/// Multiplications and additions of its linear maps and of its attention, of which causal attention counts the half that is not hidden: of the
/// forward pass, and as many again for each operand that wants a gradient. What is computed a second time to save memory does not count.
/// </param>
public sealed record NodeFigures(string Name, double Forward, double Backward, double Operations);
