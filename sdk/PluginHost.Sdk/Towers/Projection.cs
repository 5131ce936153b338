using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// A linear map with a name: a range of rows of a stored weight. Fused storage (query, key and value in one matrix) is allowed;
/// checkpoints of adapters and tuning methods use the logical names.
/// </summary>
/// <param name="name">Dotted and stable: <c>layers.3.attention.q_proj</c>.</param>
/// <param name="weight">The stored weight [rows, inputs].</param>
/// <param name="firstRow">First row of this projection.</param>
/// <param name="rows">Number of rows: the projection's output width.</param>
public sealed class Projection(string name, Parameter weight, long firstRow, long rows)
{
    private IProjectionAdapter? attached;

    /// <summary>Dotted and stable: <c>layers.3.attention.q_proj</c>.</summary>
    public string Name { get; } = name;

    /// <summary>The stored weight [stored rows, inputs]; may hold other projections too.</summary>
    public Parameter Weight { get; } = weight;

    /// <summary>First row of this projection in <see cref="Weight"/>.</summary>
    public long FirstRow { get; } = firstRow;

    /// <summary>Number of rows: the projection's output width.</summary>
    public long Rows { get; } = rows;

    /// <summary>
    /// What the tower adds the delta of, or null: what is chosen for this thread (<see cref="AdapterSet"/>), else what has been set here. Whoever made it
    /// disposes it.
    /// </summary>
    public IProjectionAdapter? Adapter
    {
        get => AdapterSet.Current is { } set && set.Projections.TryGetValue(this, out var chosen) ? chosen : attached;
        set => attached = value;
    }
}

/// <summary>A low-rank or other addition to a projection.</summary>
public interface IProjectionAdapter
{
    /// <summary>The tensors that it trains: a tower that computes its layers twice has to know them. A module's are its parameters.</summary>
    IEnumerable<Tensor> Weights => this is nn.Module module ? module.parameters() : [];

    /// <summary>What is added to the projection's output.</summary>
    /// <param name="input">The projection's input [..., inputs].</param>
    /// <returns>[..., rows].</returns>
    Tensor Delta(Tensor input);
}
