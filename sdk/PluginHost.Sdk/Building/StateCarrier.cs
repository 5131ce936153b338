using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// A node that can take over the state of an earlier version of itself whose names or shapes were others. When a plugin is swapped,
/// weights of the same name and shape carry over without it.
/// </summary>
public interface IStateCarrier
{
    /// <summary>Fills weights from those of the earlier version.</summary>
    /// <param name="former">The earlier version's parameters and buffers by name; they stay its own: copy, do not keep.</param>
    /// <returns>Names of this node's own tensors that now hold carried state.</returns>
    IEnumerable<string> Carry(IReadOnlyDictionary<string, Tensor> former);
}
