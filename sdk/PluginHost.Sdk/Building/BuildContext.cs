using Microsoft.Extensions.Logging;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// All that a plugin may know of its surroundings. Plugins read no environment, clock or global state.
/// Torch's generator is seeded by the host before each build, so initial weights depend on <see cref="Seed"/> alone.
/// </summary>
public sealed class BuildContext
{
    /// <summary>Where the node's tensors live.</summary>
    public required Device Device { get; init; }

    /// <summary>Type of the node's weights.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Whether the node's layers are to run through <see cref="GradientCheckpoint"/>: less memory in training for more time.</summary>
    public bool Checkpoint { get; init; }

    /// <summary>The seed of this node, derived from the run's seed and the node's name.</summary>
    public long Seed { get; init; }

    /// <summary>For messages while building; never in a forward pass.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>Set when the run is being stopped.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>The folder that the plugin was loaded from, for data files it ships.</summary>
    public required string ContentFolder { get; init; }

    /// <summary>What the host supplies for the plugin's <see cref="RequiresAttribute"/>s; take it with <see cref="Required{T}"/>.</summary>
    public IReadOnlyList<object> Supplied { get; init; } = [];

    /// <summary>The wired inputs in the order in which <see cref="IGraphNode.Run"/> receives them.</summary>
    public IReadOnlyList<SolvedPort> Inputs { get; init; } = [];

    /// <summary>The solved symbols of the node's ports; a symbol without a value is dynamic (the batch, a text's length).</summary>
    public IReadOnlyDictionary<string, long> Dimensions { get; init; } = new Dictionary<string, long>();

    /// <summary>The value of a symbol of the node's ports, such as the width <c>D</c> of its input.</summary>
    /// <exception cref="InvalidOperationException">The symbol is dynamic in this graph, or no port has it.</exception>
    public long Dimension(string symbol) => Dimensions.TryGetValue(symbol, out var value)
        ? value
        : throw new InvalidOperationException($"Dimension '{symbol}' has no fixed value in this graph.");

    /// <summary>
    /// What a <see cref="RequiresAttribute"/> of the plugin asks for, as the interface that <see cref="Capability"/> names. It is the host's: it
    /// works until the build that the plugin was opened for has ended, and is not to be disposed.
    /// </summary>
    /// <typeparam name="T">Such as <see cref="ITextScorer"/>.</typeparam>
    /// <exception cref="InvalidOperationException">The plugin does not require it, or it is optional and its setting is not given.</exception>
    public T Required<T>() where T : class => Supplied.OfType<T>().FirstOrDefault()
        ?? throw new InvalidOperationException($"No {typeof(T).Name} was supplied: the plugin class needs a [Requires] for it, and the setting that this takes its run from a value.");
}

/// <summary>A wired input with what the planner found out about it.</summary>
/// <param name="Name">The port's name; for a variadic input the name that the config gives.</param>
/// <param name="Source">Where it comes from: <c>image.tokens</c>.</param>
/// <param name="Shape">Its dimensions; null for a dynamic one.</param>
public sealed record SolvedPort(string Name, string Source, IReadOnlyList<long?> Shape);
