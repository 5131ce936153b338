using PluginHost.Catalog;
using PluginHost.Catalog.Health;
using PluginHost.Graph.Execution;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Graph;

/// <summary>
/// A node (or an objective) with the lease on its plugin. Graphs that differ elsewhere share it; the last of them to be disposed
/// disposes it and gives the plugin back.
/// </summary>
public sealed class BuiltNode
{
    private readonly PluginLease lease;
    private int owners = 1;

    internal BuiltNode(string name, PlannedNode plan, IGraphNode node, PluginLease lease)
    {
        (Name, Plan, Node, this.lease) = (name, plan, node, lease);
        Decoder = node is IDecoder decoder ? new CountedDecoder(this, decoder) : null;
        Objective = node switch
        {
            IRankingObjective ranking => new CountedRanking(this, ranking),
            IObjective objective => new CountedObjective(this, objective),
            _ => null,
        };
        Parameters = node is nn.Module module ? [.. module.named_parameters().Select(item => (item.name, item.parameter))] : [];
        Buffers = node is nn.Module owner ? [.. owner.named_buffers().Select(item => (item.name, item.buffer))] : [];
    }

    /// <summary>Its name in the graph, which begins the names of its weights: <c>fusion</c>, <c>objectives.align</c>.</summary>
    public string Name { get; }

    public IGraphNode Node { get; private set; }

    /// <summary>The node as a decoder for calls outside of the graph's steps; null when it is none.</summary>
    internal IDecoder? Decoder { get; private set; }

    /// <summary>The node as an objective; null when it is none.</summary>
    internal IObjective? Objective { get; private set; }

    public PlannedNode Plan { get; }

    /// <summary>Where its calls are counted.</summary>
    internal PluginHealth Health => lease.Health;

    /// <summary>Trained parameters by their names inside the node.</summary>
    internal IReadOnlyList<(string Name, TorchSharp.Modules.Parameter Value)> Parameters { get; private set; }

    /// <summary>Buffers by their names inside the node.</summary>
    internal IReadOnlyList<(string Name, Tensor Value)> Buffers { get; private set; }

    /// <summary>All state by its names inside the node.</summary>
    internal IEnumerable<(string Name, Tensor Value)> State => Parameters.Select(item => (item.Name, (Tensor)item.Value)).Concat(Buffers);

    /// <summary>Another owner.</summary>
    internal BuiltNode Share()
    {
        Interlocked.Increment(ref owners);
        return this;
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref owners) > 0) return;
        var disposable = Node as IDisposable;
        Node = null!;
        Decoder = null;
        Objective = null;
        Parameters = [];
        Buffers = [];
        disposable?.Dispose();
        lease.Dispose();
    }
}
