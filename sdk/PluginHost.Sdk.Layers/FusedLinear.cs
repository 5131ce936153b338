using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>
/// One or more linear maps of the same input, stored as the rows of one weight and computed in one product. Each
/// is a <see cref="Projection"/> under its own name and honours its adapter.
/// </summary>
public sealed class FusedLinear : nn.Module
{
    private readonly Parameter weight;
    private readonly Parameter? bias;

    /// <summary>Builds the maps.</summary>
    /// <param name="prefix">Where the layer stands: <c>layers.3.attention</c>; names are <c>prefix.part</c>.</param>
    /// <param name="inputs">Input width.</param>
    /// <param name="parts">Name and output width of each map, in storage order.</param>
    /// <param name="context">Says type and device.</param>
    /// <param name="scale">Factor on the initial deviation: <see cref="Initial.Residual"/> for residual outputs.</param>
    /// <param name="biased">Whether each output has a bias, zero at first.</param>
    public FusedLinear(
        string prefix, long inputs, IReadOnlyList<(string Name, long Rows)> parts, BuildContext context, double scale = 1, bool biased = false)
        : base(nameof(FusedLinear))
    {
        weight = Initial.Normal(context, [parts.Sum(part => part.Rows), inputs], Initial.Projection(inputs) * scale);
        register_parameter(nameof(weight), weight);
        if (biased)
        {
            bias = Initial.Constant(context, [parts.Sum(part => part.Rows)], 0);
            register_parameter(nameof(bias), bias);
        }
        var projections = new Projection[parts.Count];
        long row = 0;
        for (var i = 0; i < parts.Count; i++)
        {
            projections[i] = new Projection($"{prefix}.{parts[i].Name}", weight, row, parts[i].Rows);
            row += parts[i].Rows;
        }
        Projections = projections;
    }

    /// <summary>The logical maps, in storage order.</summary>
    public IReadOnlyList<Projection> Projections { get; }

    /// <summary>Weights and biases of the maps by name, <c>prefix.part.weight</c>: views of what is stored, in the caller's dispose scope.</summary>
    public IEnumerable<(string Name, Tensor Value)> Describe()
    {
        foreach (var projection in Projections)
        {
            yield return ($"{projection.Name}.weight", weight.narrow(0, projection.FirstRow, projection.Rows));
            if (bias is not null) yield return ($"{projection.Name}.bias", bias.narrow(0, projection.FirstRow, projection.Rows));
        }
    }

    /// <summary>Computes all maps: [..., inputs] to [..., all rows], adapters included.</summary>
    public Tensor Forward(Tensor x)
    {
        var output = Arithmetic.Linear(x, weight);
        if (bias is not null) output = output.add(bias, Scalars.One);
        foreach (var projection in Projections)
            if (projection.Adapter is not null) return WithAdapters(x, output);
        return output;
    }

    private Tensor WithAdapters(Tensor x, Tensor output)
    {
        var parts = output.split([.. Projections.Select(projection => projection.Rows)], -1);
        for (var i = 0; i < parts.Length; i++)
            if (Projections[i].Adapter is { } adapter) parts[i] = parts[i] + adapter.Delta(x);
        return parts.Length == 1 ? parts[0] : cat(parts, -1);
    }
}
