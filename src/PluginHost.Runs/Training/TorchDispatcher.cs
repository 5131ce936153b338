using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// Calls an operator that libtorch registers and TorchSharp does not wrap, through libtorch's own C interface. Only the fused
/// AdamW step is needed here, for parameters that <see cref="AdamWKernel"/> does not read.
/// </summary>
internal static unsafe partial class TorchDispatcher
{
    private const string Library = "torch_cpu";

    /// <summary>The dispatcher's stack layout version: that of libtorch 2.10.</summary>
    private const ulong AbiVersion = 0x020A_0000_0000_0000;

    /// <summary>Whether this libtorch has the interface; otherwise callers use plain operators.</summary>
    public static bool IsAvailable { get; } = Probe();

    /// <summary><c>aten::_fused_adamw_</c>: one AdamW step over lists of tensors, in place.</summary>
    public static void FusedAdamW(
        IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> gradients, IReadOnlyList<Tensor> means, IReadOnlyList<Tensor> variances,
        IReadOnlyList<Tensor> steps, double rate, double beta1, double beta2, double decay, double epsilon)
    {
        var stack = stackalloc ulong[15];
        stack[0] = List(parameters);
        stack[1] = List(gradients);
        stack[2] = List(means);
        stack[3] = List(variances);
        stack[4] = List([]);        // maximum variances, for amsgrad
        stack[5] = List(steps);
        stack[6] = Number(rate);
        stack[7] = Number(beta1);
        stack[8] = Number(beta2);
        stack[9] = Number(decay);
        stack[10] = Number(epsilon);
        stack[11] = stack[12] = 0;  // amsgrad, maximize
        stack[13] = stack[14] = 0;  // gradient scale, found-inf
        fixed (byte* name = "aten::_fused_adamw_\0"u8)
        {
            byte overload = 0;
            if (torch_call_dispatcher(name, &overload, stack, AbiVersion) != 0)
                throw new InvalidOperationException("libtorch refused aten::_fused_adamw_.");
        }
    }

    // Lists and handles pass to the dispatcher, which frees them.
    private static ulong List(IReadOnlyList<Tensor> tensors)
    {
        nint list;
        Check(torch_new_list_reserve_size((ulong)tensors.Count, &list));
        foreach (var tensor in tensors)
        {
            nint handle;
            Check(aoti_torch_new_tensor_handle(tensor.Handle, &handle));
            Check(torch_list_push_back(list, (ulong)handle));
        }
        return (ulong)list;
    }

    private static ulong Number(double value) => BitConverter.DoubleToUInt64Bits(value);

    private static void Check(int code)
    {
        if (code != 0) throw new InvalidOperationException($"libtorch's C interface failed with code {code}.");
    }

    private static bool Probe()
    {
        using var loaded = zeros(1); // makes sure that libtorch is in the process
        return NativeLibrary.TryLoad(Library, typeof(TorchDispatcher).Assembly, null, out var handle)
            && NativeLibrary.TryGetExport(handle, nameof(torch_call_dispatcher), out _)
            && NativeLibrary.TryGetExport(handle, nameof(torch_new_list_reserve_size), out _);
    }

    [LibraryImport(Library)]
    private static partial int torch_call_dispatcher(byte* name, byte* overload, ulong* stack, ulong version);

    [LibraryImport(Library)]
    private static partial int aoti_torch_new_tensor_handle(nint tensor, nint* handle);

    [LibraryImport(Library)]
    private static partial int torch_new_list_reserve_size(ulong size, nint* list);

    [LibraryImport(Library)]
    private static partial int torch_list_push_back(nint list, ulong value);
}
