using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers;

/// <summary>
/// Loops of our own over the rows of fp32 tensors on a CPU: what would be five operators with a tensor between each two is one pass over memory.
/// Rows are dealt in blocks that do not depend on the number of threads, and so results do not either.
/// </summary>
internal static unsafe class RowKernel
{
    /// <summary>Rows of a block.</summary>
    public const int BlockRows = 32;

    /// <summary>Whether these loops can run over a tensor; otherwise operators do the same.</summary>
    public static bool Reads(Tensor x) =>
        x.device_type == DeviceType.CPU && x.dtype == ScalarType.Float32 && x.numel() is > 0 and <= int.MaxValue / sizeof(float);

    /// <summary>The numbers of a contiguous tensor, which must outlive their use.</summary>
    public static float* Of(Tensor x) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(x.bytes));

    /// <summary>Calls a body with each block's index, first row and the row after its last, on as many threads as torch may use here.</summary>
    public static void ForEachBlock(int rows, Action<int, int, int> body)
    {
        TorchThreads.ForEach(Blocks(rows), block => body(block, block * BlockRows, Math.Min(rows, (block + 1) * BlockRows)));
    }

    /// <summary>Number of blocks of so many rows.</summary>
    public static int Blocks(int rows) => (rows + BlockRows - 1) / BlockRows;
}
