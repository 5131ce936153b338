using PluginHost.Sdk;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Tuning.Lora;

/// <summary>The adapter of one projection.</summary>
internal sealed class LoraAdapter : IProjectionAdapter, IDisposable
{
    private readonly double scale;
    private readonly double dropout;
    private readonly Parameter a;
    private readonly Parameter b;
    private readonly Parameter? magnitude;
    private Tensor? original;

    public LoraAdapter(Projection projection, long rank, double scale, double dropout, bool dora, BuildContext context)
    {
        (Projection, this.scale, this.dropout) = (projection, scale, dropout);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var inputs = projection.Weight.size(1);
        // Kaiming-uniform with a = √5, as for a linear layer.
        var bound = 1 / Math.Sqrt(inputs);
        a = Own(rand(rank, inputs).mul_(2 * bound).sub_(bound).to(context.Dtype).to(context.Device));           // [rank, inputs]
        b = Own(zeros(projection.Rows, rank, dtype: context.Dtype, device: context.Device));              // [rows, rank]
        magnitude = dora ? Own(Lengths(Rows())) : null;                                                    // [rows]
    }

    public Projection Projection { get; }

    /// <summary>Whether inputs are dropped.</summary>
    public bool Training { get; set; }

    public IEnumerable<(string Name, Parameter Value)> Parameters =>
        [("lora_A.weight", a), ("lora_B.weight", b), .. magnitude is null ? [] : new[] { ("lora_magnitude_vector", magnitude) }];

    public IEnumerable<Tensor> Weights => Parameters.Select(item => (Tensor)item.Value);

    public Tensor Delta(Tensor input)
    {
        var x = Training && dropout > 0 ? nn.functional.dropout(input, dropout, true) : input;
        var added = Arithmetic.Linear(Arithmetic.Linear(x, a), b) * scale;                                 // [..., rows]
        if (magnitude is null) return added;
        var rows = Rows();
        var stretch = magnitude / Fixed(rows);                                                             // [rows]
        return (stretch - 1) * Arithmetic.Linear(x, rows) + stretch * added;
    }

    public void Merge()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var rows = Rows();
        original = rows.clone().DetachFromDisposeScope();
        var sum = rows.to(ScalarType.Float32) + Product();
        if (magnitude is not null) sum *= (magnitude.to(ScalarType.Float32) / Lengths(sum)).unsqueeze(1);
        rows.copy_(sum);
    }

    public void Unmerge()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Rows().copy_(original!);
        original!.Dispose();
        original = null;
    }

    public void Dispose()
    {
        a.Dispose();
        b.Dispose();
        magnitude?.Dispose();
        original?.Dispose();
    }

    private Tensor Rows() => Projection.Weight.narrow(0, Projection.FirstRow, Projection.Rows);  // [rows, inputs]

    private Tensor Product() => b.to(ScalarType.Float32).mm(a.to(ScalarType.Float32)) * scale;  // [rows, inputs]

    private Tensor Fixed(Tensor rows)
    {
        using var _ = no_grad();
        return Lengths(rows.to(ScalarType.Float32) + Product()).to(rows.dtype);
    }

    private static Tensor Lengths(Tensor rows) => linalg.norm(rows, 2, [1]);

    // It lives longer than the scope in which it is made.
    private static Parameter Own(Tensor value) => (Parameter)new Parameter(value).DetachFromDisposeScope();
}
