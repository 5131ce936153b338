using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training.Precision;

/// <summary>
/// fp32 matrix products by oneDNN, which lies in libtorch beside MKL. libtorch itself asks MKL, and MKL gives a processor that is not Intel's
/// no AVX-512: there oneDNN is more than twice as fast. Which of the two it is depends on the processor alone, so that a resumed run counts as before.
/// </summary>
internal static partial class OneDnn
{
    private const string Library = "torch_cpu";

    /// <summary><c>at::native::mkldnn_matmul(Tensor const&amp;, Tensor const&amp;, Tensor const&amp; result, float beta, float alpha)</c>, as the Itanium ABI names it.</summary>
    private const string Matmul = "_ZN2at6native13mkldnn_matmulERKNS_6TensorES3_S3_ff";

    /// <summary>Whether this processor's products are faster here, and this libtorch has them.</summary>
    public static bool IsPreferred { get; } = Avx512F.IsSupported && !IsIntel() && IsThere();

    /// <summary>The product of two matrices, or of as many pairs of them; each is contiguous or the transpose of one that is.</summary>
    /// <param name="left">fp32 [rows, inner] or [pairs, rows, inner], on the CPU.</param>
    /// <param name="right">fp32 [inner, columns] or [pairs, inner, columns], on the CPU.</param>
    /// <returns>[rows, columns] or [pairs, rows, columns].</returns>
    public static Tensor Product(Tensor left, Tensor right)
    {
        var (of, by) = (left.shape, right.shape);
        // What native code would throw ends the process.
        if (!Reads(left) || !Reads(right) || of.Length is not (2 or 3) || by.Length != of.Length || of[^1] != by[^2] || (of.Length == 3 && of[0] != by[0]))
            throw new ArgumentException($"no product of [{string.Join(",", of)}] and [{string.Join(",", by)}]");
        using var _ = no_grad();
        var result = of.Length == 2 ? empty(of[0], by[1]) : empty(of[0], of[1], by[2]);
        MatrixProduct(left.Handle, right.Handle, result.Handle, beta: 0, alpha: 1);
        return result;
    }

    /// <summary>Whether a tensor can be a factor.</summary>
    public static bool Reads(Tensor x) => x.dtype == ScalarType.Float32 && x.device_type == DeviceType.CPU && x.numel() > 0;

    private static bool IsIntel()
    {
        var (_, first, third, second) = X86Base.CpuId(0, 0);
        Span<int> name = [first, second, third];
        return Encoding.ASCII.GetString(MemoryMarshal.AsBytes(name)) == "GenuineIntel";
    }

    private static bool IsThere()
    {
        using var loaded = zeros(1); // makes sure that libtorch is in the process
        return NativeLibrary.TryLoad(Library, typeof(OneDnn).Assembly, null, out var handle) && NativeLibrary.TryGetExport(handle, Matmul, out _);
    }

    [LibraryImport(Library, EntryPoint = Matmul)]
    private static partial void MatrixProduct(nint left, nint right, nint result, float beta, float alpha);
}

/// <summary>Linear maps and attention in fp32 by <see cref="OneDnn"/>.</summary>
internal sealed class OneDnnArithmetic : IArithmetic
{
    public Tensor Linear(Tensor input, Tensor weight)
    {
        if (!OneDnn.Reads(input) || !OneDnn.Reads(weight)) return nn.functional.linear(input, weight);
        if (!is_grad_enabled() || !(input.requires_grad || weight.requires_grad)) return Map(input, weight);
        using var scope = NewDisposeScope();
        return Mapped.apply([input, weight]).MoveToOuterDisposeScope();
    }

    public Tensor Attention(Tensor query, Tensor keys, Tensor values, Tensor? mask, bool causal) => OneDnnAttention.Reads(query, keys, values, mask)
        ? OneDnnAttention.Attend(query, keys, values, mask, causal)
        : nn.functional.scaled_dot_product_attention(query, keys, values, mask, 0, causal);

    private static Tensor Map(Tensor input, Tensor weight)
    {
        using var scope = NewDisposeScope();
        var shape = input.shape;
        shape[^1] = weight.size(0);
        return OneDnn.Product(Rows(input), weight.t()).view(shape).MoveToOuterDisposeScope();
    }

    /// <summary>[..., width] as [rows, width].</summary>
    private static Tensor Rows(Tensor x) => x.reshape(-1, x.size(-1)).contiguous();

    private sealed class Mapped : GuardedFunction<Mapped>
    {
        private const string Wanted = "Wanted";

        public override string Name => nameof(OneDnnArithmetic);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            using var _ = no_grad();
            var (input, weight) = ((Tensor)inputs[0], (Tensor)inputs[1]);
            context.save_for_backward([input, weight]);
            context.save_data(Wanted, (input.requires_grad, weight.requires_grad));
            return Map(input, weight);
        }

        protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var saved = context.get_saved_variables();
            var (input, weight, g) = (saved[0], saved[1], Rows(gradient));
            var (ofInput, ofWeight) = ((bool, bool))context.get_data(Wanted);
            return
            [
                ofInput ? OneDnn.Product(g, weight).view(input.shape).MoveToOuterDisposeScope() : null,
                ofWeight ? OneDnn.Product(g.t(), Rows(input)).MoveToOuterDisposeScope() : null,
            ];
        }
    }
}
